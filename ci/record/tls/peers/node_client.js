// A client of Node.js: node_client.js HOST:PORT [JSON of tls.connect's options].
const tls = require('tls');
const [host, port] = process.argv[2].split(':');
const options = { host, port: Number(port), servername: 'server.example', rejectUnauthorized: false };
const socket = tls.connect({ ...options, ...JSON.parse(process.argv[3] || '{}') }, () => {
    console.log(socket.getProtocol());
    socket.end();
});
socket.on('error', (error) => console.log(error.message));
