// Node's http server; writes down what it saw of every request (VIEW_LOG, one JSON object a line).
'use strict';
const http = require('http'), fs = require('fs'), zlib = require('zlib'), crypto = require('crypto');
const pairs = (raw) => Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i], raw[2 * i + 1]]);
const note = (request, body, complete) => fs.appendFileSync(process.env.VIEW_LOG, JSON.stringify({
  method: request.method, target: request.url, version: request.httpVersion, headers: pairs(request.rawHeaders),
  trailers: pairs(request.rawTrailers), body_length: body.length, complete,
  body_sha256: crypto.createHash('sha256').update(body).digest('hex'),
}) + '\n');
const text = Buffer.from('0123456789abcde\n'.repeat(40));
const answers = {
  '/hello': (q, r) => r.end('hello, world\n'),
  '/echo': (q, r, body) => r.end(body),
  '/chunked': (q, r) => { r.write('alpha\n'); setTimeout(() => { r.write('beta\n'); r.end('gamma\n'); }, 20); },
  '/trailers': (q, r) => {
    r.setHeader('Trailer', 'X-Checksum'); r.write('first\n'); r.write('second\n');
    r.addTrailers({ 'X-Checksum': '0badf00d' }); r.end();
  },
  '/hints': (q, r) => r.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => r.end('after the hints\n')),
  '/gzip': (q, r) => { r.setHeader('Content-Encoding', 'gzip'); r.end(zlib.gzipSync(text)); },
  '/br': (q, r) => { r.setHeader('Content-Encoding', 'br'); r.end(zlib.brotliCompressSync(text)); },
  '/deflate': (q, r) => { r.setHeader('Content-Encoding', 'deflate'); r.end(zlib.deflateSync(text)); },
  '/204': (q, r) => { r.writeHead(204); r.end(); },
  '/reason': (q, r) => { r.writeHead(299, 'A Reason of Its Own'); r.end('custom\n'); },
  '/cookies': (q, r) => { r.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']); r.end(String(q.headers.cookie) + '\n'); },
  '/reset': (q, r) => { r.write('some of it\n'); setTimeout(() => q.socket.resetAndDestroy(), 50); },
  '/destroy': (q, r) => { r.setHeader('Content-Length', '1000'); r.write('some of it\n'); setTimeout(() => q.socket.destroy(), 50); },
};
const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('aborted', () => note(request, Buffer.concat(parts), false));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    note(request, body, true);
    const answer = answers[request.url.split('?')[0]];
    if (answer) return answer(request, response, body);
    response.writeHead(404); response.end('no such thing\n');
  });
});
server.on('connect', (request, socket, head) => {
  note(request, Buffer.alloc(0), true);
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  socket.on('data', (part) => socket.write(part)); socket.on('end', () => socket.end()); socket.on('error', () => {});
});
server.on('upgrade', (request, socket, head) => {
  note(request, Buffer.alloc(0), true);
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
  if (head.length) socket.write(head);
  socket.on('data', (part) => socket.write(part)); socket.on('end', () => socket.end()); socket.on('error', () => {});
});
server.keepAliveTimeout = 1500;
const [host, port] = process.argv[2].split(':');
server.listen(Number(port), host);
