// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "event-loop",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "anyloop", path: "../..")],
    targets: [
        .executableTarget(
            name: "ours", dependencies: [.product(name: "Anyloop", package: "anyloop")],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
