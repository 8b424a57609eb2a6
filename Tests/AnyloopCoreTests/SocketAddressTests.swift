import AnyloopCore
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("0.0.0.0", 0 as UInt32), ("127.0.0.1", 0x7F00_0001), ("255.255.255.255", 0xFFFF_FFFF),
        ("1.2.3.4", 0x0102_0304), ("10.0.0.255", 0x0A00_00FF),
    ])
    func validV4(_ text: String, _ value: UInt32) {
        #expect(SocketAddress(literal: text, port: 7) == .v4(address: value, port: 7))
        #expect(SocketAddress.v4(address: value, port: 7).host == text)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "1.2.3.-4", "1.2.3.+4", "01.2.3.4", "1.2.3.04",
        "1.2.3.4 ", " 1.2.3.4", "1.2.3.", ".1.2.3", "1..2.3", "0x1.2.3.4", "1.2.3.4/8", "1,2,3,4", "1.2.3.1000",
        "١.2.3.4", "localhost", "1.2.3.4:80",
    ])
    func invalidV4(_ text: String) {
        #expect(SocketAddress(literal: text, port: 7) == nil)
    }

    /// The forms of RFC 4291 §2.2, and what RFC 5952 writes for each.
    @Test(
        arguments: [
            ("::", 0, 0, "::"),
            ("::1", 0, 1, "::1"),
            ("0:0:0:0:0:0:0:1", 0, 1, "::1"),
            ("1::", 0x0001_0000_0000_0000, 0, "1::"),
            ("2001:db8:0:0:8:800:200c:417a", 0x2001_0DB8_0000_0000, 0x0008_0800_200C_417A, "2001:db8::8:800:200c:417a"),
            ("2001:DB8::8:800:200C:417A", 0x2001_0DB8_0000_0000, 0x0008_0800_200C_417A, "2001:db8::8:800:200c:417a"),
            ("ff01::101", 0xFF01_0000_0000_0000, 0x101, "ff01::101"),
            ("::13.1.68.3", 0, 0x0D01_4403, "::d01:4403"),
            ("::ffff:129.144.52.38", 0, 0xFFFF_8190_3426, "::ffff:129.144.52.38"),
            ("0:0:0:0:0:ffff:129.144.52.38", 0, 0xFFFF_8190_3426, "::ffff:129.144.52.38"),
            // RFC 5952 §4.2.2: a single group of zeros is not shortened.
            ("2001:db8:0:1:1:1:1:1", 0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", 0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            // §4.2.3: the longest run, the first of equal ones.
            ("2001:0:0:1:0:0:0:1", 0x2001_0000_0000_0001, 1, "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", 0x2001_0DB8_0000_0000, 0x0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            // §4.1, §4.3: no leading zeros, lower case.
            (
                "2001:0db8:00aa:000A:0001:ABCD:0EF0:0001", 0x2001_0DB8_00AA_000A, 0x0001_ABCD_0EF0_0001,
                "2001:db8:aa:a:1:abcd:ef0:1"
            ),
            ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008, "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004, 0x0005_0006_0007_0000, "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004, 0x0005_0006_0007_0008, "0:2:3:4:5:6:7:8"),
            ("1::8", 0x0001_0000_0000_0000, 8, "1::8"),
            ("64:ff9b::192.0.2.33", 0x0064_FF9B_0000_0000, 0xC000_0221, "64:ff9b::c000:221"),
        ] as [(String, UInt64, UInt64, String)])
    func validV6(_ text: String, _ high: UInt64, _ low: UInt64, _ canonical: String) {
        let address = SocketAddress.v6(high: high, low: low, port: 7, scope: 0)
        #expect(SocketAddress(literal: text, port: 7) == address)
        #expect(address.host == canonical)
        #expect(SocketAddress(literal: canonical, port: 7) == address)
    }

    @Test(arguments: [
        ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::1::", "12345::", "g::", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1.2.3.4::", "::1.2.3",
        "::1.2.3.256", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "::1 ", " ::1", "::+1", "::-1", "fe80::1%",
        "fe80::1%eth0", "fe80::1%1%2", "fe80::1%-1", "fe80::1%4294967296", "1:2:3:4:5:6:1.2.3.4:8", "::00001",
    ])
    func invalidV6(_ text: String) {
        #expect(SocketAddress(literal: text, port: 7) == nil)
    }

    @Test func scopes() {
        let address = SocketAddress(literal: "fe80::1%2", port: 7)
        #expect(address == .v6(high: 0xFE80_0000_0000_0000, low: 1, port: 7, scope: 2))
        #expect(address?.host == "fe80::1%2")
        #expect(address?.description == "[fe80::1%2]:7")
    }

    @Test func descriptionsAndPorts() {
        #expect(SocketAddress.loopback(port: 80).description == "127.0.0.1:80")
        #expect(SocketAddress.any(port: 0).description == "0.0.0.0:0")
        #expect(SocketAddress.v6(high: 0, low: 1, port: 80, scope: 0).description == "[::1]:80")
        #expect(SocketAddress.unix(path: "/a b").description == "unix:/a b")
        #expect(SocketAddress.unix(path: "/a").port == nil)
        #expect(SocketAddress.unix(path: "/a").host == "/a")
        #expect(SocketAddress.loopback(port: .max).port == .max)
        #expect(Endpoint.host("::1", port: 80).description == "[::1]:80")
        #expect(Endpoint.host("a.b", port: 80).description == "a.b:80")
        #expect(Endpoint.unix(path: "/a").description == "unix:/a")
    }

    /// Every group in every place, there and back.
    @Test func roundTrips() {
        var state: UInt64 = 42
        for _ in 0..<2000 {
            func next() -> UInt64 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Sparse bits, so that runs of zeros are common.
                return state & (state << 17) & (state >> 11)
            }
            let address = SocketAddress.v6(high: next(), low: next(), port: 1, scope: 0)
            #expect(SocketAddress(literal: address.host, port: 1) == address)
        }
    }
}
