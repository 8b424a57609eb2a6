import Foundation
import Testing

@testable import AnyloopCommand

/// HTTPS as a user has it: certificates by OpenSSL, our server, our client and curl.
struct ServeTLSTests {
    /// A folder with `cert.pem` and `key.pem` for `localhost` and 127.0.0.1, made as the README says.
    private final class Certificate {
        let scratch: Scratch

        init(_ name: String = "localhost") throws {
            scratch = try Scratch()
            let made = try Tool.run(
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=\(name)", "-addext",
                    "subjectAltName=DNS:\(name),IP:127.0.0.1",
                ], program: "openssl", folder: scratch.path)
            try #require(made.status == 0, "\(made.errors)")
        }

        var file: String { scratch.path + "/cert.pem" }
        var key: String { scratch.path + "/key.pem" }
        var options: [String] { ["--tls-certificate", file, "--tls-key", key] }
    }

    @Test(arguments: ["native", "compat", "nio"], [1, 2])
    func filesAreServedAndFetched(mode: String, workers: Int) throws {
        let certificate = try Certificate()
        try certificate.scratch.write("some text\n", to: "site/a.txt")
        let server = try Tool.Running(
            [
                "serve", "http", "--root", certificate.scratch.path + "/site", "--port", "0", "--mode", mode,
                "--workers", "\(workers)",
            ] + certificate.options)
        #expect(server.firstLine == "listening on https://127.0.0.1:\(server.port)")
        let url = "https://localhost:\(server.port)/a.txt"
        let trusted = ["--ca", certificate.file]
        #expect(try Tool.run(["get", url, "--mode", mode] + trusted).output == "some text\n")
        #expect(try Tool.run(["get", url, "-H", "Range: bytes=5-8"] + trusted).output == "text")
        let old = try Tool.run(["get", url, "--tls-info", "--tls-maximum", "1.2"] + trusted)
        #expect(old.output == "some text\n")
        #expect(old.errors.hasPrefix("anyloop: TLSv1.2, ECDHE-ECDSA-"))
        #expect(old.errors.hasSuffix(", http/1.1, new session\n"))
        let address = "https://127.0.0.1:\(server.port)/a.txt"
        #expect(try Tool.run(["get", address], environment: ["TLS_CA": certificate.file]).output == "some text\n")
        let curl = ["-sS", "--cacert", certificate.file, url]
        #expect(try Tool.run(curl, program: "curl").output == "some text\n")
        #expect(try Tool.run(curl + ["-r", "0-3"], program: "curl").output == "some")
        #expect(try Tool.run(curl + ["--tlsv1.2", "--tls-max", "1.2"], program: "curl").output == "some text\n")
        #expect(try Tool.run(curl + ["-0"], program: "curl").output == "some text\n")
        let untrusted = try Tool.run(["get", url])
        #expect(untrusted.status == 1)
        #expect(untrusted.errors.contains("'CN=localhost'") || untrusted.errors.contains("localhost"))
        #expect(untrusted.errors.contains("--ca FILE"))
        #expect(server.terminate() == 0)
    }

    @Test func aCertificateForDevelopment() throws {
        let server = try Tool.Running(["serve", "hello", "--port", "0", "--tls-self-signed", "localhost,127.0.0.1"])
        let url = "https://localhost:\(server.port)/"
        let got = try Tool.run(["get", "--insecure", url])
        #expect(got.output == "hello, world\n")
        #expect(got.errors.hasPrefix("anyloop: --insecure: nothing is checked"))
        #expect(try Tool.run(["-sSk", url], program: "curl").output == "hello, world\n")
        let refused = try Tool.run(["get", url])
        #expect(refused.status == 1)
        #expect(refused.output == "")
        let plain = try Tool.run(["-sS", "http://127.0.0.1:\(server.port)/"], program: "curl")
        #expect(plain.output.hasPrefix("400 Bad Request: a plain HTTP request was sent"))
        let log = try server.errors(until: "plain HTTP request")
        #expect(log.contains("no TLS with 127.0.0.1:"))
        #expect(server.terminate() == 0)
    }

    @Test func theEnvironmentSaysIt() throws {
        let certificate = try Certificate()
        let server = try Tool.Running(
            ["serve", "hello-async"],
            environment: [
                "PORT": "0", "TLS_CERTIFICATE": certificate.file, "TLS_KEY": certificate.key, "TLS_MINIMUM": "1.3",
            ])
        let url = "https://localhost:\(server.port)/"
        #expect(try Tool.run(["get", url], environment: ["TLS_CA": certificate.file]).output == "hello, world\n")
        let old = ["-sS", "--cacert", certificate.file, "--tls-max", "1.2", url]
        #expect(try Tool.run(old, program: "curl").status == 35)
        let taken = try Tool.run(["serve", "hello", "--port", server.port] + certificate.options)
        #expect(taken.status == 2)
        #expect(taken.errors.contains("Address already in use"))
        #expect(server.terminate() == 0)
    }

    @Test func clientCertificates() throws {
        let (certificate, ada) = (try Certificate(), try Certificate("ada"))
        let server = try Tool.Running(
            ["serve", "hello", "--port", "0", "--tls-client-ca", ada.file] + certificate.options)
        let get = ["get", "https://localhost:\(server.port)/", "--ca", certificate.file]
        #expect(try Tool.run(get + ["--cert", ada.file, "--key", ada.key]).output == "hello, world\n")
        let without = try Tool.run(get)
        #expect(without.status == 1)
        #expect(without.errors.contains("certificate_required"))
        #expect(try server.errors(until: "sent no certificate").contains("sent no certificate"))
        #expect(try Tool.run(get + ["--cert", certificate.file, "--key", certificate.key]).status == 1)
        #expect(server.terminate() == 0)
        let lenient = try Tool.Running(
            ["serve", "hello", "--port", "0", "--tls-client-ca", ada.file, "--tls-client", "requested"]
                + certificate.options)
        let again = ["get", "https://localhost:\(lenient.port)/", "--ca", certificate.file]
        #expect(try Tool.run(again).output == "hello, world\n")
        #expect(lenient.terminate() == 0)
    }

    @Test(arguments: ["native", "nio"]) func hangUpReadsTheCertificateAgain(mode: String) throws {
        let (old, new) = (try Certificate(), try Certificate())
        let server = try Tool.Running(
            ["serve", "hello", "--port", "0", "--workers", "2", "--mode", mode] + old.options)
        let url = "https://localhost:\(server.port)/"
        #expect(try Tool.run(["get", url, "--ca", old.file]).output == "hello, world\n")
        let kept = old.scratch.path + "/kept.pem"
        try FileManager.default.copyItem(atPath: old.file, toPath: kept)
        try old.scratch.write(try new.scratch.read("cert.pem"), to: "cert.pem")
        server.send(SIGHUP)
        #expect(try server.errors(until: "stays as it was").contains("the certificate stays as it was"))
        #expect(try Tool.run(["get", url, "--ca", kept]).output == "hello, world\n", "the key did not fit")
        try old.scratch.write(try new.scratch.read("key.pem"), to: "key.pem")
        server.send(SIGHUP)
        #expect(try server.errors(until: "was read again").contains("the certificate was read again"))
        #expect(try Tool.run(["get", url, "--ca", new.file]).output == "hello, world\n")
        #expect(try Tool.run(["get", url, "--ca", kept]).status == 1)
        #expect(server.terminate() == 0)
    }

    @Test(arguments: ["native", "nio"]) func echoOverTLS(mode: String) throws {
        let certificate = try Certificate()
        let server = try Tool.Running(["serve", "echo", "--port", "0", "--mode", mode] + certificate.options)
        #expect(server.firstLine == "listening on tls://127.0.0.1:\(server.port)")
        let script =
            "(printf 'some text\\n'; sleep 1) | openssl s_client -quiet -no_ign_eof -verify_quiet -verify_return_error "
            + "-CAfile '\(certificate.file)' -connect 127.0.0.1:\(server.port) 2>/dev/null"
        #expect(try Tool.run(["-c", script], program: "sh").output == "some text\n")
        #expect(server.terminate() == 0)
    }

    @Test func whatCannotBeUsedIsSaid() throws {
        let (certificate, other) = (try Certificate(), try Certificate("other"))
        let locked = certificate.scratch.path + "/locked.pem"
        let encrypt = ["pkcs8", "-topk8", "-in", certificate.key, "-out", locked, "-passout", "pass:right"]
        #expect(try Tool.run(encrypt, program: "openssl").status == 0)
        let cases: [(options: [String], environment: [String: String], text: String)] = [
            (["--tls-certificate", "/nowhere.pem"], [:], "'/nowhere.pem' cannot be read: there is no such file"),
            (["--tls-certificate", certificate.file, "--tls-key", other.key], [:], other.key),
            (["--tls-certificate", certificate.file, "--tls-key", locked], [:], locked),
            (
                ["--tls-certificate", certificate.file, "--tls-key", locked], ["TLS_KEY_PASSWORD": "wrong"], locked
            ),
            (["--tls-key", certificate.key], [:], "add --tls-certificate"),
            (certificate.options + ["--tls-self-signed", "a"], [:], "expected one of them, found both"),
            (certificate.options + ["--tls-client", "required"], [:], "--tls-client-ca"),
            (certificate.options + ["--tls-client-ca", "/nowhere.pem"], [:], "'/nowhere.pem' cannot be read"),
            (certificate.options + ["--tls-ciphers", "NONSENSE"], [:], "NONSENSE"),
            (certificate.options + ["--tls-minimum", "1.3", "--tls-maximum", "1.2"], [:], "above the maximum"),
            (["--tls-ciphers", "NONSENSE"], [:], "TLS needs a certificate"),
        ]
        for (options, environment, text) in cases {
            let outcome = try Tool.run(["serve", "hello", "--port", "0"] + options, environment: environment)
            #expect(outcome.status == 2, "\(options)")
            #expect(outcome.errors.contains(text), "\(options): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
        let right = try Tool.Running(
            ["serve", "hello", "--port", "0", "--tls-certificate", certificate.file, "--tls-key", locked],
            environment: ["TLS_KEY_PASSWORD": "right"])
        #expect(right.firstLine.hasPrefix("listening on https://"))
        #expect(right.terminate() == 0)
        let get = try Tool.run(["get", "https://localhost:1/", "--ca", "/nowhere.pem"])
        #expect(get.status == 2)
        #expect(get.errors.contains("'/nowhere.pem' cannot be read"))
        #expect(try Tool.run(["get", "https://localhost:1/", "--key", certificate.key]).status == 2)
    }
}
