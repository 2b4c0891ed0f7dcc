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
}

extension [Metric] {
    /// The figure of a counter or a gauge with these labels, among others.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? { sample(name, labels)?.value }

    /// The sum of a family's figures; 0 where it has none yet.
    func total(_ name: String) -> Double? {
        first { $0.name == name }.map { $0.samples.reduce(0) { $0 + ($1.value ?? 0) } }
    }

    func sample(_ name: String, _ labels: [String: String] = [:]) -> Metric.Sample? {
        first { $0.name == name }?.samples.first { sample in
            labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
    }
}
