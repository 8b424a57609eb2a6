// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
    name: "nio",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "anyloop", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    ],
    targets: [
        // What the servers share: which loop, how many threads, which port.
        .target(
            name: "HelloOptions",
            dependencies: [
                .product(name: "NIOBridge", package: "anyloop"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        // Hummingbird, by HummingbirdOnAnyloop on either loop, or as it comes.
        .executableTarget(
            name: "hummingbird-hello",
            dependencies: [
                "HelloOptions",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdOnAnyloop", package: "anyloop"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        // NIOHTTP1's server pipeline and one handler, on either loop.
        .executableTarget(
            name: "nio-http1-hello",
            dependencies: [
                "HelloOptions",
                .product(name: "NIOBridge", package: "anyloop"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
    ]
)
