/// A closure that calls work off, once.
package final class CancelAction: Cancellable {
    private var action: (() -> Void)?

    /// `action` runs at the first `cancel`.
    package init(_ action: @escaping () -> Void) {
        self.action = action
    }

    /// Runs the action; without effect from the second time on.
    package func cancel() {
        action?()
        action = nil
    }
}
