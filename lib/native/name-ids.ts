/** Names remembered by one environment; beyond that the arena is asked again. */
const REMEMBERED_MAX = 65_536

/** The numbers of names in the arena, which are for good: each is asked for once. */
export class NameIds {
  private readonly known = new Map<string, number>()

  constructor(private readonly intern: (name: string) => number) {}

  /** 0 for none, and for one there was no room for. */
  of(name: string | undefined): number {
    if (name === undefined || name === '') return 0
    const known = this.known.get(name)
    if (known !== undefined) return known
    if (this.known.size >= REMEMBERED_MAX) this.known.clear()
    const id = this.intern(name)
    this.known.set(name, id)
    return id
  }
}
