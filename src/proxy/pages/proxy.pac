// Where browsers go through the proxy {{&proxy}}, and where without it.
// Made by socks5d from its settings pac_direct and pac_fallback; nothing is looked up here.
{{#login}}
// The proxy wants a login: the browser asks for a name and a password.
{{/login}}
{{#networks}}

// The numbers of an address, 16 bits each, two of IPv4 and eight of IPv6; of a name there are none.
function addressNumbers(host) {
	var m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host), front, back, i;
	if (m)
		return [m[1] * 256 + +m[2], m[3] * 256 + +m[4]];
	if (host.indexOf(":") < 0)
		return [];
	m = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
	if (m)
		host = m[1] + (m[2] * 256 + +m[3]).toString(16) + ":" + (m[4] * 256 + +m[5]).toString(16);
	m = host.split("::");
	front = m[0] ? m[0].split(":") : [];
	back = m[1] ? m[1].split(":") : [];
	while (front.length + back.length < 8)
		front.push("0");
	front = front.concat(back);
	for (i = 0; i < 8; i++)
		front[i] = parseInt(front[i], 16);
	return front.slice(0, 6).join() == "0,0,0,0,0,65535" ? front.slice(6) : front;
}

// Are the first bits of both the same?
function isInNetwork(numbers, network, bits) {
	var i, part;
	if (numbers.length != network.length)
		return false;
	for (i = 0; bits > 0; i++, bits -= 16) {
		part = Math.pow(2, bits < 16 ? 16 - bits : 0);
		if (Math.floor(numbers[i] / part) != Math.floor(network[i] / part))
			return false;
	}
	return true;
}
{{/networks}}

function FindProxyForURL(url, host) {
{{#direct}}
	host = host.toLowerCase().replace(/^\[|\]$|\.$|%.*$/g, "");
{{#networks}}
	var numbers = addressNumbers(host);
{{/networks}}
	if ({{&direct}})
		return "DIRECT";
{{/direct}}
	return "{{&proxies}}";
}
