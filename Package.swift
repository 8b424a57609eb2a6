// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: Swift 6, no warnings, unsafe constructs spelled out.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "anyloop",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Anyloop", targets: ["Anyloop"]),
        .library(name: "AnyloopWire", targets: ["AnyloopWire"]),
        .library(name: "AnyloopHarness", targets: ["AnyloopHarness", "AnyloopTesting"]),
        // SwiftNIO, both ways. Whoever leaves these products alone builds none of it.
        .library(name: "NIOBridge", targets: ["NIOBridge"]),
        .library(name: "NIOHarness", targets: ["NIOHarness", "NIOTesting"]),
        .library(name: "HummingbirdOnAnyloop", targets: ["HummingbirdOnAnyloop"]),
        .executable(name: "anyloop", targets: ["AnyloopCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The platform: every system call the loop makes goes through these.
        .target(name: "CAnyloopSystem"),
        // The wall clock and files to serve, for the agents.
        .target(name: "CAnyloopFiles"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CAnyloopCurl", dependencies: ["CCurl"]),
        // TLS: the only importer of OpenSSL, and C so that its macros can be used.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CAnyloopTLS", dependencies: ["COpenSSL"]),

        // The library.
        .target(name: "AnyloopCore", swiftSettings: settings),
        .target(name: "AnyloopWire", swiftSettings: settings),
        .target(name: "AnyloopAsync", dependencies: ["AnyloopCore"], swiftSettings: settings),
        // Addresses as those calls take them, for whoever makes some.
        .target(name: "AnyloopSystem", dependencies: ["AnyloopCore", "CAnyloopSystem"], swiftSettings: settings),
        .target(
            name: "AnyloopNativeLoop",
            dependencies: ["AnyloopCore", "AnyloopSystem", "CAnyloopSystem"],
            swiftSettings: settings),
        .target(
            name: "AnyloopTLS", dependencies: ["AnyloopAsync", "AnyloopCore", "CAnyloopTLS"], swiftSettings: settings),
        .target(
            name: "AnyloopAgents",
            dependencies: [
                "AnyloopCore", "AnyloopTLS", "AnyloopWire", "CAnyloopFiles", "CZlib",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .target(
            name: "Anyloop",
            dependencies: [
                "AnyloopCore", "AnyloopWire", "AnyloopAsync", "AnyloopNativeLoop", "AnyloopTLS", "AnyloopAgents",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings),

        // The harness, and what it is pointed at in this package.
        .target(name: "AnyloopTesting", dependencies: ["AnyloopCore"], swiftSettings: settings),
        .target(
            name: "AnyloopHarness",
            dependencies: [
                "AnyloopAsync", "AnyloopCore", "AnyloopSystem", "AnyloopTLS", "AnyloopTesting", "AnyloopWire",
                "CAnyloopSystem", "CAnyloopTLS", "Yams",
            ],
            swiftSettings: settings),
        .target(
            name: "AnyloopSubjects",
            dependencies: [
                "Anyloop", "AnyloopAgents", "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopTLS",
                "AnyloopTesting", "AnyloopWire", "CAnyloopCurl", "CCurl", "CZlib",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "AnyloopCommand",
            dependencies: [
                "Anyloop", "AnyloopAgents", "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop",
                "AnyloopTLS", "AnyloopWire", "NIOBridge", "NIOSubjects",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        // SwiftNIO, both ways: our protocols on its loops, its channels on ours.
        .target(
            name: "NIOBridge",
            dependencies: [
                "AnyloopCore", "AnyloopNativeLoop", "AnyloopSystem", "CAnyloopSystem",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .target(
            name: "HummingbirdOnAnyloop",
            dependencies: [
                "AnyloopWire", "NIOBridge",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        // NIO's behaviour as a battery for any event loop group, and NIO's handlers as the harness's subjects.
        .target(
            name: "NIOTesting",
            dependencies: [
                "CAnyloopSystem", "NIOBridge",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .target(
            name: "NIOHarness",
            dependencies: [
                "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopTesting", "NIOBridge",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        // NIO's services and handlers that the matrix reaches.
        .target(
            name: "NIOSubjects",
            dependencies: [
                "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopSubjects", "AnyloopTLS",
                "AnyloopWire", "HummingbirdOnAnyloop", "NIOBridge", "NIOHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: settings),

        // The examples in README.md and Documentation, compiled and run as they stand there.
        .target(
            name: "AnyloopExamples", dependencies: ["Anyloop", "AnyloopHarness"], path: "Examples",
            swiftSettings: settings),

        // What the tests of several targets share: hosts of the batteries, raw sockets.
        .target(
            name: "AnyloopTestHosts",
            dependencies: ["AnyloopCore", "AnyloopNativeLoop", "AnyloopTesting", "CAnyloopSystem"],
            path: "Tests/Hosts", swiftSettings: settings),
        // The same for SwiftNIO's loop, for those tests that have it.
        .target(
            name: "NIOTestHosts", dependencies: ["AnyloopTestHosts", "AnyloopTesting", "NIOBridge"],
            path: "Tests/NIOHosts", swiftSettings: settings),

        // One test target a library target.
        .testTarget(
            name: "AnyloopCoreTests", dependencies: ["AnyloopCore", "AnyloopTesting"], swiftSettings: settings),
        .testTarget(name: "AnyloopWireTests", dependencies: ["AnyloopWire"], swiftSettings: settings),
        .testTarget(
            name: "AnyloopNativeLoopTests",
            dependencies: [
                "AnyloopAsync", "AnyloopCore", "AnyloopNativeLoop", "AnyloopSystem", "AnyloopTLS", "AnyloopTestHosts",
                "AnyloopTesting", "CAnyloopSystem",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopAsyncTests",
            dependencies: [
                "AnyloopAsync", "AnyloopCore", "AnyloopNativeLoop", "AnyloopTesting", "CAnyloopSystem", "NIOBridge",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopTLSTests",
            dependencies: [
                "AnyloopAsync", "AnyloopCore", "AnyloopNativeLoop", "AnyloopTLS", "AnyloopTestHosts",
                "AnyloopTesting", "CAnyloopTLS", "NIOTestHosts",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopAgentsTests",
            dependencies: [
                "AnyloopAgents", "AnyloopCore", "AnyloopNativeLoop", "AnyloopTLS", "AnyloopTesting", "AnyloopWire",
                "NIOBridge",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopHarnessTests",
            dependencies: [
                "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopSubjects", "AnyloopTLS",
                "AnyloopTesting", "AnyloopWire",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopCommandTests",
            dependencies: [
                "AnyloopCommand", "AnyloopCore", "AnyloopHarness", "AnyloopTLS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "HummingbirdOnAnyloopTests",
            dependencies: [
                "AnyloopSubjects", "HummingbirdOnAnyloop", "NIOBridge",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "NIOBridgeTests",
            dependencies: [
                "AnyloopCore", "AnyloopNativeLoop", "AnyloopTestHosts", "AnyloopTesting", "CAnyloopSystem", "NIOBridge",
                "NIOTestHosts",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "NIOSubjectsTests",
            dependencies: [
                "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopSubjects", "NIOBridge", "NIOSubjects",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "NIOTestingTests",
            dependencies: [
                "NIOTesting",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AnyloopExampleTests",
            dependencies: ["Anyloop", "AnyloopExamples", "AnyloopHarness", "NIOBridge"],
            swiftSettings: settings),
        .testTarget(
            name: "NIOHarnessTests",
            dependencies: [
                "AnyloopCore", "AnyloopHarness", "AnyloopNativeLoop", "AnyloopSubjects", "AnyloopTesting",
                "NIOBridge", "NIOHarness", "NIOSubjects",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings),
    ]
)
