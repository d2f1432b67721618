#!/usr/bin/env bash
# The npm package socks: all three commands, over IPv4 and IPv6.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need node npm
(cd "$TMP" && timeout 120 npm install --silent --no-audit --no-fund socks@2 >"$TMP/npm.out" 2>&1) ||
	skip_all "the npm package socks: $(tail -n 1 "$TMP/npm.out")"

cat >"$TMP/commands.js" <<'END'
'use strict';
const net = require('net'), dgram = require('dgram'), assert = require('assert');
const { SocksClient } = require('socks');
const [command, host, port] = process.argv.slice(2);
const proxy = { host: '127.0.0.1', port: Number(port), type: 5 };
const fail = (error) => { console.error(error); process.exit(1); };

function options(destination) {
	return { proxy, command, destination, timeout: 30000 };
}

/* A TCP server that echoes, or a socket of the same kind. */
function connect() {
	const server = net.createServer((s) => s.pipe(s)).listen(0, host, async () => {
		const { socket } = await SocksClient.createConnection(
			options({ host, port: server.address().port }));
		socket.on('data', (data) => {
			assert.strictEqual(data.toString(), 'hello');
			process.exit(0);
		});
		socket.write('hello');
		socket.resume();
	});
}

/* The peer that comes to BIND greets. */
function bind() {
	const client = new SocksClient(options({ host, port: 21 }));
	client.on('error', fail);
	client.on('bound', (info) => {
		assert.notStrictEqual(info.remoteHost.port, 0);
		const peer = net.connect(info.remoteHost.port, info.remoteHost.host, () => peer.write('220'));
	});
	client.on('established', (info) => {
		info.socket.on('data', (data) => {
			assert.strictEqual(data.toString(), '220');
			process.exit(0);
		});
		info.socket.resume();
	});
	client.connect();
}

function associate() {
	const family = net.isIPv6(host) ? 'udp6' : 'udp4';
	const echo = dgram.createSocket(family), own = dgram.createSocket('udp4');
	echo.on('message', (data, from) => echo.send(data, from.port, from.address));
	echo.bind(0, host, () => {
		const target = { host, port: echo.address().port };
		const client = new SocksClient(options({ host: '0.0.0.0', port: 0 }));
		client.on('error', fail);
		client.on('established', (info) => {
			own.on('message', (data) => {
				const frame = SocksClient.parseUDPFrame(data);
				assert.strictEqual(frame.data.toString(), 'hello');
				assert.strictEqual(frame.remoteHost.port, target.port);
				process.exit(0);
			});
			own.send(SocksClient.createUDPFrame({ remoteHost: target, data: Buffer.from('hello') }),
				info.remoteHost.port, info.remoteHost.host);
		});
		client.connect();
	});
}

setTimeout(() => fail('too late'), 40000);
process.on('unhandledRejection', fail);
({ connect, bind, associate })[command]();
END

# runs COMMAND HOST LOGGED: the script succeeds and the log tells of it.
runs() {
	mark_log
	NODE_PATH=$TMP/node_modules bounded node "$TMP/commands.js" "$1" "$2" "${PROXY##*:}" &&
		logged "command=$3" outcome=success
}

start_socks5d
check connect_over_ipv4 runs connect 127.0.0.1 CONNECT
check bind_over_ipv4 runs bind 127.0.0.1 BIND
check associate_over_ipv4 runs associate 127.0.0.1 UDP_ASSOCIATE
if have_ipv6; then
	check connect_over_ipv6 runs connect ::1 CONNECT
	check bind_over_ipv6 runs bind ::1 BIND
	check associate_over_ipv6 runs associate ::1 UDP_ASSOCIATE
else
	skip ipv6 '::1 on the loopback interface'
fi
check server_stops stop_socks5d
finish
