// Hummingbird says hello. `--stock`: by its own Application.run(), which takes --loop nio only. `--on-loop`: requests are
// handled on the connections' threads. `--listeners`: a listener on each loop (SO_REUSEPORT).
import HelloOptions
import Hummingbird
import HummingbirdOnAnyloop
import Logging

let options = HelloOptions(words: ["--stock", "--on-loop", "--listeners"])
let group = try options.makeGroup()
let router = Router()
router.get("/") { _, _ in HelloOptions.greeting }
var logger = Logger(label: "hello")
logger.logLevel = .error
let configuration = ApplicationConfiguration(address: .hostname("127.0.0.1", port: options.port))
if options.words.contains("--stock") {
    let application = Application(
        router: router, configuration: configuration, eventLoopGroupProvider: .shared(group), logger: logger)
    try await application.run()
} else {
    var serverOptions = HummingbirdServerOptions()
    if options.words.contains("--on-loop") { serverOptions.execution = .loop }
    if options.words.contains("--listeners") { serverOptions.listening = .onEachLoop }
    let server = HummingbirdServer(
        router: router, configuration: configuration, options: serverOptions, eventLoopGroup: group, logger: logger)
    try await server.run()
}
