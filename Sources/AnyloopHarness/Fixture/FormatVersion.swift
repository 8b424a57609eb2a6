/// The versions of the files that people write: fixtures, matrices, lists of known failures.
enum FormatVersion {
    /// What a file of another version is refused with; `VERSIONING.md` says what a version promises.
    static let expected = "version 1 of the format, the only one that this anyloop reads"
}
