// Drives Node's HTTP client through some steps and prints what it saw as JSON.
// usage: node_client.js BASE-URL STEPS; a step: {method, path, headers, body, chunks, trailers, upgrade, connect, say}
'use strict';
const http = require('http'), crypto = require('crypto');
const base = new URL(process.argv[2]), steps = JSON.parse(process.argv[3]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const pairs = (raw) => Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i], raw[2 * i + 1]]);
const seen = [];
const talk = (socket, head, say, done) => {
  const heard = head.length ? [head.toString()] : [];
  const next = () => { if (!say.length) return socket.end(); socket.write(say.shift()); };
  socket.on('data', (part) => { heard.push(part.toString()); next(); });
  socket.on('close', () => { seen.at(-1).heard = heard; done(); });
  next();
};
const run = (step) => new Promise((done) => {
  const request = http.request({
    host: base.hostname, port: base.port, agent: step.upgrade || step.connect ? undefined : agent,
    method: step.connect ? 'CONNECT' : step.method || 'GET', path: step.connect || step.path, headers: step.headers || {},
  });
  const note = (response, body) => seen.push({
    status: response.statusCode, version: response.httpVersion, headers: pairs(response.rawHeaders), trailers: pairs(response.rawTrailers),
    body_length: body.length, body_sha256: crypto.createHash('sha256').update(body).digest('hex'),
  });
  request.on('information', (info) => seen.push({ status: info.statusCode, version: info.httpVersion, headers: pairs(info.rawHeaders) }));
  request.on('upgrade', (response, socket, head) => { note(response, Buffer.alloc(0)); talk(socket, head, step.say || [], done); });
  request.on('connect', (response, socket, head) => {
    note(response, Buffer.alloc(0));
    if (response.statusCode !== 200) { socket.destroy(); return done(); }
    talk(socket, head, step.say || [], done);
  });
  request.on('response', (response) => {
    const parts = [];
    response.on('data', (part) => parts.push(part));
    response.on('end', () => { note(response, Buffer.concat(parts)); setImmediate(done); });
    response.on('error', (error) => { note(response, Buffer.concat(parts)); seen.at(-1).error = error.code; done(); });
  });
  request.on('error', (error) => { seen.push({ error: error.code }); done(); });
  request.on('continue', () => { request.end(step.body); });
  if (step.chunks) {
    const send = (index) => {
      if (index < step.chunks.length) { request.write(step.chunks[index]); return setTimeout(send, 15, index + 1); }
      if (step.trailers) request.addTrailers(step.trailers);
      request.end();
    };
    send(0);
  } else if (step.headers && step.headers.Expect) request.flushHeaders();
  else request.end(step.body);
});
(async () => { for (const step of steps) await run(step); agent.destroy(); console.log(JSON.stringify(seen)); })();
