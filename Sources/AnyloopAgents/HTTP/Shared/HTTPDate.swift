import CAnyloopFiles

/// HTTP's dates (RFC 9110 §5.6.7), in whole seconds since 1970-01-01T00:00:00Z.
public enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// 9999-12-31T23:59:59Z, the last date four digits of a year can say.
    private static let last: Int64 = 253_402_300_799

    /// Nanoseconds since 1970 by the system's wall clock.
    public static func systemNanoseconds() -> Int64 {
        anyloop_wall_nanoseconds()
    }

    /// IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`; years outside 0…9999 are held to the nearest.
    public static func format(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, -62_167_219_200), last)
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let second = Int(seconds - days * 86_400)
        let (year, month, day) = civil(days: days)
        let weekday = Int(((days + 4) % 7 + 7) % 7)
        return "\(weekdays[weekday]), \(pad(day, 2)) \(months[month - 1]) \(pad(year, 4)) "
            + "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2)) GMT"
    }

    /// The date that `text` says in any of the three forms a recipient must take; nil for anything else.
    ///
    /// Two-digit years of RFC 850 dates are read as 1970…2069.
    public static func parse(_ text: String) -> Int64? {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard let first = words.first else { return nil }
        if words.count == 6, first.utf8.count == 4, first.hasSuffix(","), words[5] == "GMT" {
            return seconds(year: number(words[3], 4), month: words[2], day: number(words[1], 2), time: words[4])
        }
        if words.count == 4, first.hasSuffix(","), words[3] == "GMT" {
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, let short = number(date[2], 2) else { return nil }
            return seconds(
                year: short + (short < 70 ? 2000 : 1900), month: date[1], day: number(date[0], 2), time: words[2])
        }
        if words.count == 5 {
            let day = number(words[2], words[2].utf8.count == 1 ? 1 : 2)
            return seconds(year: number(words[4], 4), month: words[1], day: day, time: words[3])
        }
        return nil
    }

    private static func seconds(year: Int?, month: Substring, day: Int?, time: Substring) -> Int64? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let year, let day, clock.count == 3, let month = months.firstIndex(where: { $0 == month }),
            let hour = number(clock[0], 2), let minute = number(clock[1], 2), let second = number(clock[2], 2),
            (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = days(year: year, month: month + 1, day: day)
        guard civil(days: days) == (year, month + 1, day) else { return nil }
        return days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in eras of 400 years.
    private static func days(year: Int, month: Int, day: Int) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
    }

    private static func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
