import Bookings

extension [Metric] {
    /// Adds another daemon's families: the samples of one that is here already to it, the others at the end.
    ///
    /// What would make the text invalid is left out: a family of the same name and another kind, and a sample with the
    /// labels of one that is here. Daemons of different versions could come to that while they are upgraded.
    func merged(with others: [Metric]) -> [Metric] {
        others.reduce(into: self) { merged, other in
            guard let index = merged.firstIndex(where: { $0.name == other.name }) else {
                return merged.append(other)
            }
            guard merged[index].kind == other.kind else { return }
            let known = Set(merged[index].samples.map(\.labels))
            merged[index].samples += other.samples.filter { !known.contains($0.labels) }
        }
    }

    /// What a gauge without labels says; nil when it isn't here.
    func gauge(_ name: String) -> Double? {
        first { $0.name == name && $0.kind == .gauge }?.samples.first { $0.labels.isEmpty }?.value
    }
}
