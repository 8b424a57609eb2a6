// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "echo-peer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "anyloop", path: "../../..")],
    targets: [
        .executableTarget(
            name: "EchoPeer", dependencies: [.product(name: "Anyloop", package: "anyloop")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
