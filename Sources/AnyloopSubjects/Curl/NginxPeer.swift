import Foundation

/// A real nginx on loopback that serves the scenarios' routes; ended by `stop`.
public final class NginxPeer {
    /// Why nginx could not be used.
    public enum Failure: Error, CustomStringConvertible {
        /// No nginx on this machine.
        case missing
        /// It ended, or did not listen in time; its own words.
        case notServing(String)

        /// One sentence with the remedy.
        public var description: String {
            switch self {
            case .missing: "nginx is not installed: run ci/setup"
            case .notServing(let log): "nginx did not start: \(log)"
            }
        }
    }

    /// Where it listens.
    public let target: ScenarioTarget
    /// Its version, such as `1.22.1`.
    public let version: String
    private let process: Process
    private let lifeline = Pipe()
    private let prefix: URL

    /// Starts nginx for `files` and waits until it answers, at most five seconds.
    ///
    /// - Parameter certificates: what it needs for TLS; nil: it speaks none.
    public init(files: ScenarioFiles, certificates: ScenarioCertificates? = nil) throws {
        guard
            let binary = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
                .first(where: FileManager.default.isExecutableFile(atPath:))
        else { throw Failure.missing }
        version = Self.versionText(of: binary)
        prefix = FileManager.default.temporaryDirectory.appendingPathComponent("anyloop-nginx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: prefix, withIntermediateDirectories: true)
        try Data("ada:{PLAIN}lovelace\n".utf8).write(to: prefix.appendingPathComponent("htpasswd"))
        let port = try FreePort.onLoopback()
        target = ScenarioTarget(port: port, certificates: certificates)
        let configuration = Self.configuration(
            port: port, files: files, prefix: prefix.path, certificates: certificates)
        let path = prefix.appendingPathComponent("nginx.conf")
        try Data(configuration.utf8).write(to: path)
        process = Process()
        // The shell ends nginx when its input does: also if this process is killed.
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let script = #"exec 3<&0; "$0" "$@" 3<&- & child=$!; read -r _ <&3; kill -9 "$child"; wait "$child""#
        process.arguments = [
            "-c", script, binary, "-p", prefix.path, "-c", path.path, "-e",
            prefix.appendingPathComponent("error.log").path,
        ]
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try waitUntilServing()
    }

    /// Ends nginx and removes its folder.
    public func stop() {
        // Killed by number: a child started on a thread that blocks signals blocks them too, and another child may
        // hold a copy of the lifeline's end open.
        let number = try? String(contentsOf: prefix.appendingPathComponent("nginx.pid"), encoding: .utf8)
        if let pid = number.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }), pid > 1 {
            kill(pid, SIGKILL)
        }
        try? lifeline.fileHandleForWriting.close()
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: prefix)
    }

    private func waitUntilServing() throws {
        for _ in 0..<250 {
            if FreePort.answers(target.port) { return }
            guard process.isRunning else { break }
            usleep(20_000)
        }
        let log = (try? String(contentsOf: prefix.appendingPathComponent("error.log"), encoding: .utf8)) ?? "no log"
        stop()
        throw Failure.notServing(log)
    }

    private static func versionText(of binary: String) -> String {
        let probe = Process()
        let pipe = Pipe()
        probe.executableURL = URL(fileURLWithPath: binary)
        probe.arguments = ["-v"]
        probe.standardError = pipe
        guard (try? probe.run()) != nil else { return "unknown" }
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        probe.waitUntilExit()
        return text.split(separator: "/").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? "unknown"
    }

    private static func configuration(
        port: UInt16, files: ScenarioFiles, prefix: String, certificates: ScenarioCertificates?
    ) -> String {
        let (root, store) = (files.root, files.store)
        let security =
            certificates.map {
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate \($0.serverFile); ssl_certificate_key \($0.serverKeyFile);"
            } ?? ""
        let redirects = [301, 302, 303, 307, 308].map { "location = /redirect/\($0) { return \($0) /method; }" }
        // What of the handshake does not differ from client to client; nginx has no text for an absent name.
        let handshake =
            certificates.map { _ in
                """
                location = /tls {
                    set $name $ssl_server_name; if ($name = "") { set $name "-"; }
                    default_type text/plain;
                    return 200 "version=$ssl_protocol\\nalpn=$ssl_alpn_protocol\\nname=$name\\nresumed=$ssl_session_reused\\n";
                }
                """
            } ?? ""
        return """
            daemon off;
            master_process off;
            pid \(prefix)/nginx.pid;
            error_log \(prefix)/error.log;
            events { worker_connections 4096; }
            http {
                access_log off;
                types { text/plain txt; }
                default_type application/octet-stream;
                client_max_body_size 64m;
                client_body_temp_path \(prefix)/body;
                proxy_temp_path \(prefix)/proxy; fastcgi_temp_path \(prefix)/fastcgi;
                uwsgi_temp_path \(prefix)/uwsgi; scgi_temp_path \(prefix)/scgi;
                keepalive_requests 100000;
                server {
                    listen 127.0.0.1:\(port) \(certificates == nil ? "" : "ssl ")backlog=2048;
                    \(security)
                    root \(root);
                    location = /hello { default_type text/plain; return 200 "hello, world\\n"; }
                    location = /close { keepalive_timeout 0; default_type text/plain; return 200 "bye\\n"; }
                    location = /status/204 { return 204; }
                    location = /method { default_type text/plain; return 200 $request_method; }
                    \(redirects.joined(separator: "\n        "))
                    location = /chain/3 { return 302 /chain/2; }
                    location = /chain/2 { return 302 /chain/1; }
                    location = /chain/1 { return 302 /method; }
                    location = /loop { return 302 /loop; }
                    location = /cookie/set { add_header Set-Cookie "taste=ginger; Path=/"; return 200 "set\\n"; }
                    location = /cookie/show { default_type text/plain; return 200 $http_cookie; }
                    location = /no-answer { return 444; }
                    \(handshake)
                    location /files/ { alias \(root)/files/; if_modified_since before; }
                    location /chunked/ { alias \(root)/files/; ssi on; ssi_types *; }
                    location /gzip/ { alias \(root)/gzip/; gzip on; gzip_types *; gzip_min_length 1; }
                    location /store/ { alias \(store)/; dav_methods PUT; }
                    location /basic/ {
                        auth_basic "anyloop"; auth_basic_user_file \(prefix)/htpasswd;
                        alias \(root)/basic/; index index.txt;
                    }
                }
            }

            """
    }
}

/// Ports for servers that cannot be told to choose one themselves.
enum FreePort {
    /// A port that nobody listened on a moment ago.
    static func onLoopback() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
        defer { close(descriptor) }
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, size) == 0 && getsockname(descriptor, generic, &size) == 0
            }
        }
        guard result else { throw POSIXError(.EADDRINUSE) }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Whether somebody accepts connections on `port`.
    static func answers(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = loopback(port: port)
        return unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        address.sin_port = port.bigEndian
        return address
    }
}
