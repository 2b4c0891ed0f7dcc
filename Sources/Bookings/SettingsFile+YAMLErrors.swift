import Yams

extension YamlError {
    /// Yams's own description, which draws several lines, as one line that begins with the number of the line
    /// at fault.
    var line: String {
        switch self {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = context.map { ", \($0.text) in line \($0.mark.line)" } ?? ""
            return "line \(mark.line): \(problem)\(place)"
        case .reader(let problem, let offset?, _, let yaml):
            return "line \(yaml.prefix(offset).count(where: \.isNewline) + 1): \(problem)"
        case .reader(let problem, nil, _, _): return problem
        default: return "\(self)"
        }
    }
}
