// The script for browsers with all nodes in it, for those who want no HAProxy in front. A web server
// has it as http://www.campus.example/proxy.pac and sends it as application/x-ns-proxy-autoconfig.
//
// A browser takes the first that answers, and leaves one that did not aside for some minutes. So each
// has all of them, in an order that begins with another one for another computer, and goes on with the
// same one from site to site: web sites see one address of it, and rates of a node hold.
//
// PROXY comes first because browsers cannot log in by SOCKS. There is no DIRECT at the end: who found
// no node would pass by all rules and quotas.

var NODES = ["10.40.0.11:1080", "10.40.0.12:1080", "10.40.0.13:1080"];

// A number that is always the same for this computer.
function numberOfComputer() {
	var address = String(myIpAddress()), sum = 0;
	for (var i = 0; i < address.length; i++)
		sum = (sum * 31 + address.charCodeAt(i)) % 65536;
	return sum;
}

function nodesBy(kind, first) {
	var ways = [];
	for (var i = 0; i < NODES.length; i++)
		ways.push(kind + " " + NODES[(first + i) % NODES.length]);
	return ways.join("; ");
}

// Names are not looked up here, which would hold up each page.
function isOurs(host) {
	return isPlainHostName(host) || dnsDomainIs(host, ".campus.example") ||
		/^(127|10|192\.168|172\.(1[6-9]|2[0-9]|3[01]))(\.[0-9]+)+$/.test(host);
}

function FindProxyForURL(url, host) {
	var first = numberOfComputer() % NODES.length;
	if (isOurs(host.toLowerCase()))
		return "DIRECT";
	return nodesBy("PROXY", first) + "; " + nodesBy("SOCKS5", first);
}
