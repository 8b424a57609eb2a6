import AnyloopHarness

/// Pipelines of NIO's handlers, driven by the fixtures.
enum NIOHandlerSubjects {
    /// The subjects.
    static let all: [Subject] = []
}
