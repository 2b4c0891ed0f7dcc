/// The place of a parameter as `InvalidParameter` names it: `input.startDate`, `inputs[3].startDate`.
enum ParameterPath {
    /// The path of `keys`, without the call's own member `parameters` at its beginning.
    static func text(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in belowParameters(keys) {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        return text.isEmpty ? CallEnvelope.Member.parameters.rawValue : text
    }

    /// The path of the parameter that `error`, thrown while parameters were decoded, is about.
    static func text(of error: any Error) -> String {
        switch error {
        case let error as UnknownParameter: error.path
        case DecodingError.keyNotFound(let key, let context): text(context.codingPath + [key])
        case DecodingError.typeMismatch(_, let context): text(context.codingPath)
        case DecodingError.valueNotFound(_, let context): text(context.codingPath)
        case DecodingError.dataCorrupted(let context): text(context.codingPath)
        default: CallEnvelope.Member.parameters.rawValue
        }
    }

    private static func belowParameters(_ keys: [any CodingKey]) -> ArraySlice<any CodingKey> {
        keys.first is CallEnvelope.Member ? keys.dropFirst() : keys[...]
    }
}
