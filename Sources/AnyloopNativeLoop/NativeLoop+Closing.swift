import AnyloopCore

extension NativeLoop {
    /// Ends every transport and whoever waits for an answer with `.loopClosed`; gives descriptors back.
    ///
    /// While the loop runs this is reported to the exception handler and does nothing (asyncio rule 12): `stop` it
    /// first.
    public func closeLoop() {
        guard !isClosed else { return }
        guard !isRunning else {
            return report("Cannot close a running event loop", TransportError.usage("call stop() and wait for run()"))
        }
        isClosed = true
        for signal in Array(signalHandlers.keys) { _ = dropSignalHandler(signal) }
        guest?.loopCloses()
        guest = nil
        for work in pendingWork.values { work.loopCloses() }
        pendingWork = [:]
        for watcher in watchers { watcher?.loopCloses() }
        timers.removeAll()
        var jobs: [UnownedJob] = []
        var taskJobs: [UnownedJob] = []
        var resumptions: [UnsafeContinuation<Void, Never>] = unsafe []
        // While its descriptor stands: the remote gives that back.
        if let wakeWatcher { detach(wakeWatcher) }
        wakeWatcher = nil
        for work in nativeRemote.close() {
            switch work {
            case .job(let job): jobs.append(job)
            case .taskJob(let job): taskJobs.append(job)
            case .callback, .resolved: break
            }
        }
        while readyQueue.count > 0 {
            switch readyQueue.pop() {
            case .handle(let handle): handle.cancel()
            case .ending(let watcher): watcher.finish()
            case .job(let job): jobs.append(job)
            case .taskJob(let job): taskJobs.append(job)
            case .resumption(let continuation): unsafe resumptions.append(continuation)
            }
        }
        for watcher in watchers { if let watcher { detach(watcher) } }
        watchers = []
        poller.close()
        isPollerClosed = true
        threadPool.shutDown()
        nativeExecutor.unbind()
        for job in jobs { nativeExecutor.enqueueAfterClose(job, isTask: false) }
        for job in taskJobs { nativeExecutor.enqueueAfterClose(job, isTask: true) }
        unsafe resumptions.forEach { unsafe $0.resume() }
        exceptionHandler = nil
    }
}
