// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "nio",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "anyloop", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    ],
    targets: [
        .executableTarget(
            name: "servers",
            dependencies: [
                .product(name: "Anyloop", package: "anyloop"),
                .product(name: "HummingbirdOnAnyloop", package: "anyloop"),
                .product(name: "NIOBridge", package: "anyloop"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
