import Foundation

/// Standard output, unbuffered: whoever reads it through a pipe must not wait for a line.
enum Output {
    static func line(_ text: String) { write(text + "\n") }

    static func write(_ text: String) { write(Array(text.utf8)) }

    static func write(_ bytes: [UInt8]) {
        // A reader that went away is no reason to fail.
        try? FileHandle.standardOutput.write(contentsOf: Data(bytes))
    }
}
