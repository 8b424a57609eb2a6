extension String {
    /// This text where `&`, `<` and `>` are markup; `replacement` says what stands for other characters, nil for
    /// themselves.
    func escaped(_ replacement: (Unicode.Scalar) -> String?) -> String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default:
                if let text = replacement(scalar) { result += text } else { result.unicodeScalars.append(scalar) }
            }
        }
        return result
    }
}
