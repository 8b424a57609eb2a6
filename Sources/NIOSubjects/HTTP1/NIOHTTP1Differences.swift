// swift-format-ignore-file
// Written by Tests/NIOHarnessTests/DifferenceTests.swift; see Documentation/nio-http1-differences.md.

/// What NIOHTTP1's decoders make of the fixtures that they read otherwise than the RFCs have it.
enum NIOHTTP1Differences {
    /// Of requests.
    static let server = ##"""
        """##

    /// Of responses.
    static let client = ##"""
        """##
}
