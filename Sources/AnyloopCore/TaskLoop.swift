/// A loop that runs Swift tasks on its own thread, so that they reach what lives on it without a hop.
///
/// Other loops run tasks too, through `LoopRemote`; what is here spares them the way around.
public protocol TaskLoop: Loop {
    /// What tasks prefer so that they run on this loop: `Task(executorPreference: loop.loopTaskExecutor)`.
    var loopTaskExecutor: any TaskExecutor { get }
}
