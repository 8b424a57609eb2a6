/// One step of a scenario: an operation and its other keys.
struct AsyncioStep: Sendable, Hashable {
    /// The operation's name; empty for the `return` or `raise` of a reaction.
    let op: String
    /// All keys, `op` among them.
    let table: AsyncioTable

    init(file: String, place: String, _ value: AsyncioValue) throws(AsyncioFormatError) {
        var table = try AsyncioTable(file: file, place: place, value)
        if table.has("op") {
            op = try table.text("op")
            table = try AsyncioTable(file: file, place: "\(place) (\(op))", value)
        } else if table.has("return") || table.has("raise") {
            op = ""
        } else {
            throw table.error("op", expected: "an operation (or 'return' or 'raise' in a reaction)")
        }
        self.table = table
    }

    /// Those of a list of steps.
    static func list(file: String, place: String, _ values: [AsyncioValue]) throws(AsyncioFormatError) -> [AsyncioStep]
    {
        var steps: [AsyncioStep] = []
        for (index, value) in values.enumerated() {
            steps.append(try AsyncioStep(file: file, place: "\(place) \(index + 1)", value))
        }
        return steps
    }

    /// The steps under `key`, none if it is absent.
    func steps(_ key: String) throws(AsyncioFormatError) -> [AsyncioStep] {
        guard table.has(key) else { return [] }
        return try Self.list(file: table.file, place: "\(table.place) \(key)", try table.list(key))
    }

    /// The actor it works on.
    func on() throws(AsyncioFormatError) -> String { try table.text("on") }

    /// The name of the task it runs as; nil for none.
    func task() throws(AsyncioFormatError) -> String? { try table.optionalText("task") }

    /// Its bytes: `data`, each character one, or `fill` so many `times`; none without either.
    func data(_ key: String = "data") throws(AsyncioFormatError) -> [UInt8] {
        if table.has("fill") {
            let fill = Array(try table.text("fill").utf8)
            let times = try table.number("times")
            if fill.count == 1 { return Array(repeating: fill[0], count: times) }
            return Array(repeatElement(fill, count: times).joined())
        }
        return try bytes(of: try table.text(key, or: ""), key)
    }

    /// The bytes that a text stands for, each character one.
    func bytes(of text: String, _ key: String = "data") throws(AsyncioFormatError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard scalar.value < 256 else { throw table.error(key, expected: "characters up to U+00FF") }
            bytes.append(UInt8(scalar.value))
        }
        return bytes
    }

    /// The same step on `actor`, if it names none itself.
    func on(_ actor: String) -> AsyncioStep {
        guard !table.has("on") else { return self }
        var copy = table
        copy.values["on"] = .text(actor)
        return AsyncioStep(op: op, table: copy)
    }

    /// The same step with the reader and the writer `actor`, if it names none itself.
    func reading(_ actor: String) -> AsyncioStep {
        var copy = table
        for key in ["reader", "writer"] where !table.has(key) { copy.values[key] = .text(actor) }
        return AsyncioStep(op: op, table: copy)
    }

    private init(op: String, table: AsyncioTable) {
        self.op = op
        self.table = table
    }
}
