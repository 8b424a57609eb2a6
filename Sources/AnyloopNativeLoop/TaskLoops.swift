import AnyloopCore

extension NativeLoop: TaskLoop {
    /// Runs tasks on this loop's thread.
    public var loopTaskExecutor: any TaskExecutor { taskExecutor }
}

extension CompatLoop: TaskLoop {
    /// Runs tasks on this loop's thread.
    public var loopTaskExecutor: any TaskExecutor { taskExecutor }
}
