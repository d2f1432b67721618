#!/usr/bin/env bash
# HTTP's clients through socks5d as their HTTP proxy: curl, netcats, proxychains, wget, apt, git, pip,
# Java and Go, to nginx and to a server of ours that answers in the ways that nginx does not.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/servers.sh"

need curl nginx python3

# ---- a server that tells what it was asked ----

# ORIGIN: /echo gives back the body, /chunked sends it in chunks, /cut breaks off in the middle of
# chunks, /head tells the request line and the fields; /early answers without reading the body.
start_origin() {
	spawn "$PYTHON" -c '
import http.server, socket, struct, sys

class Handler(http.server.BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"

	def body(self):
		if self.headers.get("Transfer-Encoding") != "chunked":
			return self.rfile.read(int(self.headers.get("Content-Length", 0)))
		body = b""
		while size := int(self.rfile.readline().split(b";")[0], 16):
			body += self.rfile.read(size)
			self.rfile.readline()
		while self.rfile.readline().strip():
			pass
		return body

	def answer(self, body):
		self.send_response(200)
		self.send_header("Content-Length", str(len(body)))
		self.send_header("Set-Cookie", "a=1")
		self.send_header("Set-Cookie", "b=2")
		self.end_headers()
		if self.command != "HEAD":
			self.wfile.write(body)

	def chunks(self, is_whole):
		self.send_response(200)
		self.send_header("Transfer-Encoding", "chunked")
		self.end_headers()
		for i in range(1000):
			self.wfile.write(b"%x\r\n%s\r\n" % (i + 1, b"c" * (i + 1)))
		if is_whole:
			self.wfile.write(b"0\r\n\r\n")
			return
		self.wfile.flush()
		self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		self.close_connection = True
		self.connection.close()

	def handle_any(self):
		if self.path == "/early":
			self.send_response(413)
			self.send_header("Content-Length", "5")
			self.end_headers()
			self.wfile.write(b"early")
			self.close_connection = True
		elif self.path == "/chunked":
			self.chunks(True)
		elif self.path == "/cut":
			self.chunks(False)
		elif self.path in ("/head", "*"):
			self.answer((self.requestline + "\n" + str(self.headers)).encode())
		else:
			self.answer(self.body())

	do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = handle_any

	def log_message(self, *args):
		pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("Listening on 127.0.0.1 %d" % server.server_address[1], file=sys.stderr, flush=True)
server.serve_forever()
	' 2>"$TMP/far.err"
	await_far_side
	ORIGIN=127.0.0.1:$FAR_PORT
}

# ---- curl ----

# says TEXT COMMAND...: it succeeds, and TEXT is in what it prints.
says() {
	local text=$1
	shift
	"$@" >"$TMP/says.out" 2>&1 || return
	cat "$TMP/says.out"
	grep -qF -- "$text" "$TMP/says.out"
}

# lacks TEXT COMMAND...: it succeeds, and TEXT is not.
lacks() {
	local text=$1
	shift
	"$@" >"$TMP/says.out" 2>&1 || return
	cat "$TMP/says.out"
	! grep -qiF -- "$text" "$TMP/says.out"
}

proxied() {
	run_curl -x "http://$PROXY" "$@"
}

gets_page() {
	mark_log
	says 'served by nginx' "$@" && logged door=http outcome=success reason=closed
}

downloads() {
	local status=0
	proxied "$@" -o "$TMP/got" && same_digest "$TMP/got" "$WWW/random.bin" || status=$?
	rm -f "$TMP/got"
	return "$status"
}

echoes() {
	local status=0
	proxied "$@" -o "$TMP/got" "http://$ORIGIN/echo" && same_digest "$TMP/got" "$TMP/body" ||
		status=$?
	rm -f "$TMP/got"
	return "$status"
}

chunks_of() {
	local status=0
	proxied "$@" -o "$TMP/got" "http://$ORIGIN/chunked" &&
		[[ $(wc -c <"$TMP/got") == 500500 && $(tr -d c <"$TMP/got") == '' ]] || status=$?
	rm -f "$TMP/got"
	return "$status"
}

curls() {
	local page=http://$WEB/page.txt
	check curl gets_page proxied "$page"
	check curl_name gets_page proxied "http://localhost:$WEB_PORT/page.txt"
	check curl_tunnel gets_page proxied -p "$page"
	check curl_http_1_0 gets_page proxied -0 "$page"
	check curl_proxy_http_1_0 gets_page run_curl --proxy1.0 "$PROXY" -p "$page"
	check curl_several says 'served by nginx' proxied "$page" "$page" "$page"
	check curl_head says 'HTTP/1.1 200' proxied -I "$page"
	check curl_tells_nothing_of_itself lacks proxy proxied "http://$ORIGIN/head"
	check curl_cookies says 'Set-Cookie: b=2' proxied -i "http://$ORIGIN/head"
	check curl_options says 'OPTIONS * ' proxied -X OPTIONS --request-target \
		"http://$ORIGIN" "http://$ORIGIN/head"
	check curl_download downloads "http://$WEB/random.bin"
	check curl_download_tunnel downloads -p "http://$WEB/random.bin"
	check curl_chunked chunks_of
	check curl_chunked_http_1_0 chunks_of -0
	check curl_cut fails 56 '' proxied "http://$ORIGIN/cut"
	check curl_cut_http_1_0 fails 56 '' proxied -0 "http://$ORIGIN/cut"
	check curl_post echoes --data-binary "@$TMP/body" -H 'Expect:'
	check curl_expect echoes --data-binary "@$TMP/body" -H 'Expect: 100-continue'
	check curl_chunked_upload echoes -T "$TMP/body" -H 'Transfer-Encoding: chunked'
	check curl_early_answer says early proxied --data-binary "@$TMP/body" \
		"http://$ORIGIN/early"
	check curl_refused says 502 proxied -o /dev/null -w '%{http_code}' \
		"http://127.0.0.1:$(free_port)/"
	check curl_refused_tunnel fails 56 502 proxied -p "http://127.0.0.1:$(free_port)/"
	check curl_no_name says 'which host has this name' proxied http://nosuch.invalid/
	[[ -n $WEB6 ]] || {
		skip curl_ipv6 '::1 on the loopback interface'
		return
	}
	check curl_ipv6 gets_page proxied "http://$WEB6/page.txt"
	check curl_ipv6_tunnel gets_page proxied -p "http://$WEB6/page.txt"
}

curl_logins() {
	local page=http://$WEB/page.txt
	check curl_login says 'served by nginx' proxied -U alice:secret "$page"
	check curl_login_tunnel says 'served by nginx' proxied -p -U alice:secret "$page"
	check curl_login_asked_for says 'served by nginx' proxied --proxy-anyauth -U alice:secret \
		"$page"
	check curl_login_wrong says 407 proxied -U alice:guess -w '%{http_code}' "$page"
	check curl_login_none says 'Proxy-Authenticate: Basic realm=' proxied -i "$page"
	check curl_login_none_tunnel fails 56 407 proxied -p "$page"
	check curl_login_not_told lacks alice proxied -U alice:secret "http://$ORIGIN/head"
}

# ---- others ----

wgets() {
	bounded wget -q -O "$TMP/got" -e use_proxy=yes -e "http_proxy=http://$PROXY" "$@" &&
		same_digest "$TMP/got" "$WWW/random.bin"
}

make_repository() {
	local package=$TMP/package
	mkdir -p "$package/DEBIAN" "$WWW/apt"
	printf '%s\n' 'Package: sample-of-ours' 'Version: 1.0' 'Architecture: all' \
		'Maintainer: Test <test@example.org>' 'Description: sample' >"$package/DEBIAN/control"
	random_file "$package/payload" 300000
	dpkg-deb --build "$package" "$WWW/apt/sample.deb" || return
	{
		cat "$package/DEBIAN/control"
		echo 'Filename: ./sample.deb'
		echo "Size: $(stat -c %s "$WWW/apt/sample.deb")"
		echo "SHA256: $(digest "$WWW/apt/sample.deb" | cut -d' ' -f1)"
	} >"$WWW/apt/Packages"
}

run_apt() {
	bounded apt-get -q -o Dir="$TMP/apt" -o Dir::Etc::sourcelist="$TMP/apt/sources" \
		-o Dir::Etc::sourceparts=- -o Dir::Etc::parts=- -o Dir::Etc::main=- \
		-o Dir::State::status=/dev/null -o APT::Sandbox::User= \
		-o Debug::NoLocking=yes -o Acquire::Retries=0 \
		-o "Acquire::http::Proxy=http://$1" "${@:2}"
}

apts() {
	mkdir -p "$TMP/apt/lists/partial" "$TMP/apt/var/lib/apt/lists/partial" \
		"$TMP/apt/var/cache/apt/archives/partial" "$TMP/apt/etc/apt/preferences.d"
	echo "deb [trusted=yes] http://127.0.0.1:$WEB_PORT/apt ./" >"$TMP/apt/sources"
	rm -rf "$TMP/down"
	mkdir "$TMP/down"
	mark_log
	run_apt "$1" update && (cd "$TMP/down" && run_apt "$1" download sample-of-ours) &&
		same_digest "$TMP/down"/*.deb "$WWW/apt/sample.deb" && logged door=http "$2"
}

make_git_repository() {
	local name
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
	for name in AUTHOR COMMITTER; do
		export "GIT_${name}_NAME=Test" "GIT_${name}_EMAIL=test@example.org"
	done
	git init -q "$TMP/work" && random_file "$TMP/work/large" 3000000 &&
		git -C "$TMP/work" add large && git -C "$TMP/work" commit -q -m large &&
		git clone -q --bare "$TMP/work" "$WWW/repo.git" &&
		git -C "$WWW/repo.git" update-server-info
}

clones() {
	rm -rf "$TMP/clone"
	bounded git -c "http.proxy=http://$1" clone -q "http://127.0.0.1:$WEB_PORT/repo.git" \
		"$TMP/clone" && same_digest "$TMP/clone/large" "$TMP/work/large"
}

# An index with one wheel, which is a zip file.
make_index() {
	local folder=$WWW/site/simple/sample-of-ours
	mkdir -p "$folder" && python3 -c '
import os, sys, zipfile
os.chdir(sys.argv[1])
info = "sample_of_ours-1.0.dist-info/"
with zipfile.ZipFile("sample_of_ours-1.0-py3-none-any.whl", "w") as wheel:
	wheel.writestr("sample_of_ours.py", "")
	wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: sample-of-ours\nVersion: 1.0\n")
	wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	wheel.writestr(info + "RECORD", "")
	' "$folder" &&
		echo '<a href="sample_of_ours-1.0-py3-none-any.whl">sample</a>' >"$folder/index.html"
}

pips() {
	local file=sample_of_ours-1.0-py3-none-any.whl
	rm -rf "$TMP/down"
	bounded python3 -m pip --isolated download -q --no-deps --no-cache-dir --retries 0 \
		--disable-pip-version-check --proxy "http://$1" --trusted-host 127.0.0.1 \
		--index-url "http://127.0.0.1:$WEB_PORT/site/simple" -d "$TMP/down" sample-of-ours &&
		same_digest "$TMP/down/$file" "$WWW/site/simple/sample-of-ours/$file"
}

# Java's own clients: HttpURLConnection, by http.proxyHost and by socksProxyHost, and a tunnel of its
# HttpClient as https:// would have it.
java_program() {
	cat >"$TMP/Get.java" <<-'END'
		import java.io.InputStream;
		import java.net.URI;

		public class Get {
			public static void main(String[] urls) throws Exception {
				for (String url : urls)
					try (InputStream in = URI.create(url).toURL().openStream()) {
						in.transferTo(System.out);
					}
			}
		}
	END
}

javas() {
	mark_log
	says 'served by nginx' bounded java "$@" -Dhttp.nonProxyHosts= -DsocksNonProxyHosts= \
		"$TMP/Get.java" "http://127.0.0.1:$WEB_PORT/page.txt" &&
		logged outcome=success
}

# Nginx speaks no TLS there: that the tunnel is made is what counts.
java_fails_by_tunnel() {
	mark_log
	fails any '' bounded java "-Dhttps.proxyHost=${PROXY%:*}" "-Dhttps.proxyPort=${PROXY##*:}" \
		-Dhttp.nonProxyHosts= "$TMP/Get.java" "https://127.0.0.1:$WEB_PORT/page.txt" &&
		logged door=http "target=$WEB" outcome=success reply=200
}

# The SOCKS client of x/net/proxy, as Debian packages it.
go_program() {
	mkdir -p "$TMP/go/src/get"
	cat >"$TMP/go/src/get/get.go" <<-'END'
		package main

		import (
			"io"
			"net/http"
			"net/url"
			"os"

			"golang.org/x/net/proxy"
		)

		func main() {
			at, err := url.Parse(os.Args[1])
			if err != nil {
				panic(err)
			}
			transport := &http.Transport{Proxy: http.ProxyURL(at)}
			if at.Scheme == "socks5" {
				dialer, err := proxy.FromURL(at, proxy.Direct)
				if err != nil {
					panic(err)
				}
				transport = &http.Transport{Dial: dialer.Dial}
			}
			answer, err := (&http.Client{Transport: transport}).Get(os.Args[2])
			if err != nil {
				panic(err)
			}
			io.Copy(os.Stdout, answer.Body)
		}
	END
	GO111MODULE=off GOPATH=$TMP/go:/usr/share/gocode GOCACHE=$TMP/go/cache GOFLAGS='' \
		bounded go build -o "$TMP/go/get" get
}

gos() {
	mark_log
	says 'served by nginx' bounded "$TMP/go/get" "$1" "http://127.0.0.1:$WEB_PORT/page.txt" &&
		logged "${@:2}" outcome=success
}

# They ask for a tunnel by HTTP/1.0, and speak through it.
by_pipe() {
	# shellcheck disable=SC2016 # the variables are those of the inner shell
	bounded bash -c 'printf "GET /once/page.txt HTTP/1.0\r\n\r\n" | "$@"' bash "$@"
}

netcats() {
	local nc
	mkdir -p "$WWW/once" && cp "$WWW/page.txt" "$WWW/once/page.txt"
	nc=$(command -v nc.openbsd || command -v nc)
	if [[ -n $nc ]] && "$nc" -h 2>&1 | grep -q 'OpenBSD netcat'; then
		check nc_connect gets_page by_pipe "$nc" -X connect -x "$PROXY" 127.0.0.1 "$WEB_PORT"
	else
		skip nc_connect "OpenBSD's netcat"
	fi
	! have ncat_http ncat || check ncat_http gets_page by_pipe ncat --proxy "$PROXY" \
		--proxy-type http 127.0.0.1 "$WEB_PORT"
	have proxychains_http proxychains4 || return
	printf '%s\n' strict_chain '[ProxyList]' "http ${PROXY/:/ }" >"$TMP/chain.conf"
	check proxychains_http gets_page bounded proxychains4 -q -f "$TMP/chain.conf" \
		curl -q -sS "http://$WEB/page.txt"
}

have() {
	command -v "$2" >/dev/null || {
		skip "$1" "$2"
		return 1
	}
}

others() {
	netcats
	! have wget wget || check wget wgets "http://$WEB/random.bin"
	if have apt apt-get && have apt dpkg-deb; then
		check apt_repository make_repository
		check apt apts "$PROXY" user=Anonymous
	fi
	if have git git; then
		check git_repository make_git_repository
		check git clones "$PROXY"
	fi
	if python3 -m pip --version >/dev/null 2>&1; then
		check pip_index make_index
		check pip pips "$PROXY"
	else
		skip pip pip
	fi
	if have java javac; then
		java_program
		check java_http javas "-Dhttp.proxyHost=${PROXY%:*}" "-Dhttp.proxyPort=${PROXY##*:}"
		check java_socks javas "-DsocksProxyHost=${PROXY%:*}" "-DsocksProxyPort=${PROXY##*:}"
		check java_https java_fails_by_tunnel
	fi
	have_go || return
	check go_program go_program
	check go_http gos "http://$PROXY" door=http
	check go_socks gos "socks5://$PROXY" user=Anonymous
}

have_go() {
	have go go || return
	[[ -d /usr/share/gocode/src/golang.org/x/net/proxy ]] || {
		skip go golang-golang-x-net-dev
		return 1
	}
}

others_with_login() {
	! have wget_login wget || check wget_login wgets --proxy-user=alice --proxy-password=secret \
		"http://$WEB/random.bin"
	! have apt_login apt-get || check apt_login apts "alice:secret@$PROXY" user=alice
	! have git_login git || check git_login clones "alice:secret@$PROXY"
	! python3 -m pip --version >/dev/null 2>&1 || check pip_login pips "alice:secret@$PROXY"
	[[ -x $TMP/go/get ]] || return
	check go_http_login gos "http://alice:secret@$PROXY" user=alice
	check go_socks_login gos "socks5://alice:secret@$PROXY" user=alice
}

start_nginx 30000000
start_origin
random_file "$TMP/body" 3000000
start_socks5d
curls
others
check server_stops stop_socks5d
start_socks5d -u alice:secret
curl_logins
others_with_login
check server_with_login_stops stop_socks5d
finish
