/// Date and time as HTTP writes them (RFC 9110 §5.6.7), in whole seconds since 1970-01-01 00:00 UTC; without a clock.
public enum HTTP1Date {
    /// Bytes of an IMF-fixdate.
    public static let length = 29

    /// Appends `seconds` as IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// Moments outside the years 0 to 9999 become the nearest moment inside.
    public static func append(_ seconds: Int, to out: inout [UInt8]) {
        let seconds = clamped(seconds)
        let day = floorDivide(seconds, 86400)
        let second = seconds - day * 86400
        let (year, month, dayOfMonth) = civil(fromDay: day)
        out.append(contentsOf: weekdays[modulo(day + 4, 7)].utf8.prefix(3))
        out.append(contentsOf: ", ".utf8)
        append2(dayOfMonth, &out)
        out.append(ASCII.space)
        out.append(contentsOf: months[month - 1].utf8)
        out.append(ASCII.space)
        append2(year / 100, &out)
        append2(year % 100, &out)
        out.append(ASCII.space)
        append2(second / 3600, &out)
        out.append(ASCII.colon)
        append2(second / 60 % 60, &out)
        out.append(ASCII.colon)
        append2(second % 60, &out)
        out.append(contentsOf: " GMT".utf8)
    }

    /// `seconds` as IMF-fixdate.
    public static func string(_ seconds: Int) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(length)
        append(seconds, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The moment that `text` names in one of the three forms; nil if it is none of them or no real date.
    ///
    /// The two-digit year of the obsolete RFC 850 form is taken within the century that ends 50 years after `now`,
    /// as RFC 9110 §5.6.7 asks; a leap second counts as the second after it.
    public static func parse(_ text: String, now: Int) -> Int? {
        parse(text.utf8.span, now: now)
    }

    /// The moment that `bytes` name in one of the three forms; see the other `parse`.
    public static func parse(_ bytes: Span<UInt8>, now: Int) -> Int? {
        var reader = Reader(bytes.count)
        guard let weekday = reader.letters(bytes) else { return nil }
        let fields: Fields?
        if let short = shortWeekday(bytes, weekday) {
            fields = reader.takes(", ", bytes) ? reader.fixdate(bytes) : reader.asctime(bytes)
            return fields.flatMap { $0.seconds(weekday: short) }
        }
        guard let long = weekdays.firstIndex(of: bytes.string(weekday)),
            reader.takes(", ", bytes), var date = reader.rfc850(bytes)
        else { return nil }
        let thisYear = civil(fromDay: floorDivide(clamped(now), 86400)).year
        date.year += thisYear / 100 * 100
        if date.year > thisYear + 50 { date.year -= 100 } else if date.year <= thisYear - 50 { date.year += 100 }
        return date.seconds(weekday: long)
    }

    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func shortWeekday(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard range.count == 3 else { return nil }
        let name = bytes.string(range)
        return weekdays.firstIndex { $0.hasPrefix(name) }
    }

    /// The nearest moment within the years 0 to 9999.
    private static func clamped(_ seconds: Int) -> Int { min(max(seconds, -62_167_219_200), 253_402_300_799) }

    private static func append2(_ number: Int, _ out: inout [UInt8]) {
        out.append(UInt8(truncatingIfNeeded: number / 10 % 10) | 0x30)
        out.append(UInt8(truncatingIfNeeded: number % 10) | 0x30)
    }
}

extension HTTP1Date {
    /// A date's parts as they were written.
    fileprivate struct Fields {
        var year = 0
        var month = 0
        var day = 0
        var hour = 0
        var minute = 0
        var second = 0

        /// Seconds since 1970; nil if there is no such moment, or the day of the week isn't `weekday`.
        func seconds(weekday: Int) -> Int? {
            guard day >= 1, day <= HTTP1Date.days(inMonth: month, year: year), hour < 24, minute < 60, second <= 60
            else { return nil }
            let count = HTTP1Date.day(fromCivil: year, month, day)
            guard modulo(count + 4, 7) == weekday else { return nil }
            return count * 86400 + hour * 3600 + minute * 60 + second
        }
    }

    /// Reads a date from left to right.
    fileprivate struct Reader {
        private var index = 0
        private let end: Int

        init(_ end: Int) {
            self.end = end
        }

        /// `06 Nov 1994 08:49:37 GMT`.
        mutating func fixdate(_ bytes: Span<UInt8>) -> Fields? {
            var date = Fields()
            guard number(2, &date.day, bytes), takes(" ", bytes), month(&date.month, bytes), takes(" ", bytes),
                number(4, &date.year, bytes), takes(" ", bytes), time(&date, bytes), takes(" GMT", bytes), index == end
            else { return nil }
            return date
        }

        /// `06-Nov-94 08:49:37 GMT`.
        mutating func rfc850(_ bytes: Span<UInt8>) -> Fields? {
            var date = Fields()
            guard number(2, &date.day, bytes), takes("-", bytes), month(&date.month, bytes), takes("-", bytes),
                number(2, &date.year, bytes), takes(" ", bytes), time(&date, bytes), takes(" GMT", bytes), index == end
            else { return nil }
            return date
        }

        /// ` Nov  6 08:49:37 1994`.
        mutating func asctime(_ bytes: Span<UInt8>) -> Fields? {
            var date = Fields()
            guard takes(" ", bytes), month(&date.month, bytes), takes(" ", bytes),
                takes(" ", bytes) ? number(1, &date.day, bytes) : number(2, &date.day, bytes), takes(" ", bytes),
                time(&date, bytes), takes(" ", bytes), number(4, &date.year, bytes), index == end
            else { return nil }
            return date
        }

        private mutating func time(_ date: inout Fields, _ bytes: Span<UInt8>) -> Bool {
            number(2, &date.hour, bytes) && takes(":", bytes) && number(2, &date.minute, bytes) && takes(":", bytes)
                && number(2, &date.second, bytes)
        }

        mutating func letters(_ bytes: Span<UInt8>) -> Range<Int>? {
            let start = index
            while index < end, ASCII.isLetter(bytes[index]) { index += 1 }
            return index > start ? start..<index : nil
        }

        mutating func takes(_ text: StaticString, _ bytes: Span<UInt8>) -> Bool {
            let count = text.utf8CodeUnitCount
            guard end - index >= count, bytes.extracting(index..<index + count).equals(text) else { return false }
            index += count
            return true
        }

        private mutating func month(_ value: inout Int, _ bytes: Span<UInt8>) -> Bool {
            guard end - index >= 3 else { return false }
            let name = bytes.string(index..<index + 3)
            guard let place = HTTP1Date.months.firstIndex(of: name) else { return false }
            value = place + 1
            index += 3
            return true
        }

        private mutating func number(_ digits: Int, _ value: inout Int, _ bytes: Span<UInt8>) -> Bool {
            guard end - index >= digits else { return false }
            value = 0
            for _ in 0..<digits {
                guard ASCII.isDigit(bytes[index]) else { return false }
                value = value * 10 + Int(bytes[index] - ASCII.zero)
                index += 1
            }
            return true
        }
    }
}

// The proleptic Gregorian calendar, with years that begin in March so that the leap day is the last one.
extension HTTP1Date {
    /// Days from 1970-01-01 to the date.
    fileprivate static func day(fromCivil year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = floorDivide(marchYear, 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date `day` days after 1970-01-01.
    fileprivate static func civil(fromDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    fileprivate static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// The quotient rounded down.
private func floorDivide(_ left: Int, _ right: Int) -> Int {
    let quotient = left / right
    return left % right < 0 ? quotient - 1 : quotient
}

/// The remainder that goes with a quotient rounded down.
private func modulo(_ left: Int, _ right: Int) -> Int {
    left - floorDivide(left, right) * right
}
