import Foundation

/// The run's one record: a JSON object a line, a line a cell.
public enum NDJSON {
    /// A cell's line, without the line end.
    public static func line(_ cell: CellRecord) throws -> String {
        try String(decoding: encoder().encode(cell), as: UTF8.self)
    }

    /// All cells, each line ended.
    public static func render(_ cells: [CellRecord]) throws -> String {
        let encoder = encoder()
        var text = ""
        for cell in cells { text += try String(decoding: encoder.encode(cell), as: UTF8.self) + "\n" }
        return text
    }

    /// The cells in `text`; empty lines are passed over.
    ///
    /// - Throws: `SettingsError` with the line that is no cell.
    public static func parse(file: String, text: String) throws(SettingsError) -> [CellRecord] {
        let decoder = JSONDecoder()
        var cells: [CellRecord] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard let cell = try? decoder.decode(CellRecord.self, from: Data(line.utf8)) else {
                throw SettingsError(
                    file: file, line: index + 1, column: 1,
                    text: "expected the record of a cell, found '\(line.prefix(60))'")
            }
            cells.append(cell)
        }
        return cells
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
