import Anyloop

/// Our side of the echo benchmark: `EchoPeer tcp|udp PORT`.
@main
struct EchoPeer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = UInt16(arguments[2]) else {
            print("usage: EchoPeer tcp|udp PORT")
            return
        }
        let loop = try NativeLoop()
        let server = EchoServer(loop: loop)
        switch arguments[1] {
        case "udp": try server.bindDatagram(.loopback(port: port))
        default: try server.listen(on: [.loopback(port: port)])
        }
        try loop.run()
    }
}
