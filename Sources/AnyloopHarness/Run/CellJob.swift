import Foundation

/// Cells of one fixture or scenario that go to a worker together.
struct CellJob: WorkerJob {
    /// The most cells in one job: enough to make the hand-over cheap, few enough to share the work evenly.
    static let cellLimit = 64

    var file: String?
    var cells: [CellSpec]
    var deadline: Duration

    var itemCount: Int { cells.count }

    func line(from first: Int) -> [UInt8] {
        let request = WorkerRequest(file: file, cells: Array(cells[first...]))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        // A request is strings in arrays: it cannot fail to encode. If it did, the worker would refuse the line.
        return (try? Array(encoder.encode(request))) ?? []
    }

    func deadline(for item: Int) -> Duration { deadline }

    /// `cells`, in which those of one fixture stand together, as jobs.
    static func jobs(
        _ cells: [CellSpec], files: [String: String], deadlines: [String: Duration], deadline: Duration
    ) -> [CellJob] {
        var jobs: [CellJob] = []
        for cell in cells {
            if let last = jobs.last, last.cells[0].fixture == cell.fixture, last.cells.count < cellLimit,
                files[cell.fixture] != nil
            {
                jobs[jobs.count - 1].cells.append(cell)
            } else {
                let limit = deadlines[cell.fixture] ?? deadline
                jobs.append(CellJob(file: files[cell.fixture], cells: [cell], deadline: limit))
            }
        }
        return jobs
    }
}
