// A client and a server of Go's crypto/tls.
//
//	peer client ADDRESS [-min V] [-max V] [-alpn A,B] [-ciphers HEX,…] [-groups N,…] [-ca FILE] [-cert FILE -key FILE]
//	     [-name HOST] [-path PATH] [-body FILE] [-times N]
//	peer server ADDRESS -cert FILE -key FILE [-min V] [-max V] [-alpn A,B] [-ciphers HEX,…] [-client-ca FILE]
//
// Versions are 1.0 to 1.3. The client asks -times over connections of its own for PATH (or posts a file) and prints for
// each: version, suite, protocol, resumed or new, status, SHA-256 of the content. The server answers /hello, /blob/N
// (N bytes of zero), /hash (SHA-256 of what was posted), /again (a redirect to /resumed, over another connection) and
// /resumed (whether the session was resumed), and prints one line "listening ADDRESS" first.
package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

var versions = map[string]uint16{
	"": 0, "1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: peer client|server ADDRESS [options]")
	}
	role, address := os.Args[1], os.Args[2]
	flags := flag.NewFlagSet("peer", flag.ExitOnError)
	least := flags.String("min", "", "")
	most := flags.String("max", "", "")
	alpn := flags.String("alpn", "", "")
	ciphers := flags.String("ciphers", "", "")
	groups := flags.String("groups", "", "")
	roots := flags.String("ca", "", "")
	certificate := flags.String("cert", "", "")
	key := flags.String("key", "", "")
	clients := flags.String("client-ca", "", "")
	name := flags.String("name", "server.example", "")
	path := flags.String("path", "/hello", "")
	body := flags.String("body", "", "")
	times := flags.Int("times", 1, "")
	flags.Parse(os.Args[3:])

	config := &tls.Config{MinVersion: versions[*least], MaxVersion: versions[*most]}
	for _, number := range numbers(*ciphers, 16) {
		config.CipherSuites = append(config.CipherSuites, uint16(number))
	}
	for _, number := range numbers(*groups, 10) {
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(number))
	}
	if *alpn != "" {
		config.NextProtos = strings.Split(*alpn, ",")
	}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if role == "server" {
		if *clients != "" {
			config.ClientCAs = pool(*clients)
			config.ClientAuth = tls.RequireAndVerifyClientCert
		}
		serve(address, config)
		return
	}
	config.ServerName = *name
	if *roots == "" {
		config.InsecureSkipVerify = true
	} else {
		config.RootCAs = pool(*roots)
	}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for range make([]struct{}, *times) {
		ask(address, config, *path, *body)
	}
}

func ask(address string, config *tls.Config, path string, file string) {
	raw, err := net.Dial("tcp", address)
	check(err)
	defer raw.Close()
	connection := tls.Client(raw, config)
	check(connection.Handshake())
	method, content, length := "GET", io.Reader(nil), int64(0)
	if file != "" {
		opened, err := os.Open(file)
		check(err)
		defer opened.Close()
		info, err := opened.Stat()
		check(err)
		method, content, length = "POST", opened, info.Size()
	}
	request, err := http.NewRequest(method, "https://"+config.ServerName+path, content)
	check(err)
	request.ContentLength = length
	request.Close = true
	transport := &http.Transport{DialTLS: func(string, string) (net.Conn, error) { return connection, nil }}
	response, err := transport.RoundTrip(request)
	check(err)
	digest := sha256.New()
	_, err = io.Copy(digest, response.Body)
	check(err)
	state := connection.ConnectionState()
	resumed := "new"
	if state.DidResume {
		resumed = "resumed"
	}
	fmt.Printf("%x %s %q %s %d %x\n", state.Version, tls.CipherSuiteName(state.CipherSuite), state.NegotiatedProtocol,
		resumed, response.StatusCode, digest.Sum(nil))
}

func serve(address string, config *tls.Config) {
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch {
		case strings.HasPrefix(request.URL.Path, "/blob/"):
			count, err := strconv.Atoi(strings.TrimPrefix(request.URL.Path, "/blob/"))
			check(err)
			writer.Header().Set("Content-Length", strconv.Itoa(count))
			writer.Write(make([]byte, count))
		case request.URL.Path == "/again":
			writer.Header().Set("Connection", "close")
			http.Redirect(writer, request, "/resumed", http.StatusFound)
		case request.URL.Path == "/resumed":
			fmt.Fprintf(writer, "resumed %t", request.TLS.DidResume)
		case request.URL.Path == "/hash":
			digest := sha256.New()
			io.Copy(digest, request.Body)
			fmt.Fprintf(writer, "%x", digest.Sum(nil))
		default:
			fmt.Fprint(writer, "hello, world\n")
		}
	})
	listener, err := net.Listen("tcp", address)
	check(err)
	fmt.Println("listening", listener.Addr())
	// A map of protocols that is there but empty keeps HTTP/2 out.
	server := &http.Server{Handler: handler, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	check(server.Serve(tls.NewListener(listener, config)))
}

func pool(file string) *x509.CertPool {
	text, err := os.ReadFile(file)
	check(err)
	found := x509.NewCertPool()
	if !found.AppendCertsFromPEM(text) {
		fail("no certificate in " + file)
	}
	return found
}

func numbers(text string, base int) []uint64 {
	var found []uint64
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		number, err := strconv.ParseUint(word, base, 16)
		check(err)
		found = append(found, number)
	}
	return found
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Println("failed:", text)
	os.Exit(1)
}
