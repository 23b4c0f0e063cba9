import { HINTS_MOST, hintOf } from '../numbered.js'
import type { Session } from '../session.js'
import { makeTelemetry, type Telemetry } from '../telemetry.js'
import type { RecordFields } from './record.js'

/** Names that are remembered; beyond that the arena is asked again. */
const NAMES_MAX = HINTS_MOST
const GENERATIONS = 2 ** 20
/** That of no element. */
const KIND_OF_NAMES = 15
/** What is known of a place. */
const [NUMBER, GENERATION, TIME] = [0, 1, 2]
const PLACE_NUMBERS = 4
/** Places that there is room for from the beginning. */
const PLACES_LEAST = 1_024

/** The names of what records have as numbers, each asked for once. */
export class RecordNames {
  readonly #telemetry: Telemetry
  readonly #capacity: number
  /** by place in the arena, and beside each other, for they are wanted of each record: the number of what is there, how often the place was given away, and which of all names that there ever were it has; 0 none */
  #places = new Float64Array(0)
  /** the number of each name of workflows and the like, by its number in the arena, which is that of a place and one; 0: not asked for yet */
  #names = new Uint16Array(0)
  /** by number, of both: the name, and which of all it is, from 1 on; 0 of those without one */
  #called: string[] = ['']
  readonly #times = new Float64Array(NAMES_MAX)
  #met = 0

  /** @param renamed what an element is to be called; a name that is gone is empty */
  constructor(
    session: Session,
    readonly renamed: (place: string) => string
  ) {
    this.#telemetry = makeTelemetry(session)
    this.#capacity = session.binding.capacity.elements
  }

  /** Of the element that a record is about. */
  element(record: Pick<RecordFields, 'element' | 'generation'>): string {
    return this.named(this.number(record.element, record.generation))
  }

  /** A small number that stands for the element at a place as long as it is remembered; 0: there is no such place. Until the next one is asked for {@link named} knows its name. */
  number(element: number, generation: number): number {
    const at = PLACE_NUMBERS * element
    const number = at < this.#places.length ? (this.#places[at + NUMBER] as number) : 0
    return number > 0 && this.#places[at + GENERATION] === generation ? number : this.#meet(element, generation, number)
  }

  named(number: number): string {
    return this.#called[number] as string
  }

  /**
   * What stands for the name of a number and a kind, which has a number, too, as a Numbered takes it; 0: it has no name. So names need not be looked at to leave some out, nor to find them
   * again.
   */
  hint(number: number, kind = KIND_OF_NAMES): number {
    const time = this.#times[number] as number
    return time === 0 ? 0 : hintOf(number, kind, time)
  }

  /** As {@link hint}, of the element at a place whose number was asked for just now. */
  hintAt(element: number, kind: number): number {
    const at = PLACE_NUMBERS * element
    const time = at < this.#places.length ? (this.#places[at + TIME] as number) : 0
    return time === 0 ? 0 : hintOf(this.#places[at + NUMBER] as number, kind, time)
  }

  /** Of a workflow, a tenant, a client, a kind of notes; undefined: none, or not known. */
  name(id: number): string | undefined {
    return this.nameOf(this.numberOf(id))
  }

  /** The same number for such a name, which no element has; 0: none, or not known. */
  numberOf(id: number): number {
    return id === 0 ? 0 : this.#names[id] || this.#learn(id)
  }

  nameOf(number: number): string | undefined {
    return number === 0 ? undefined : this.#called[number]
  }

  /** Elements are called otherwise from now on. */
  renew(): void {
    this.#places.fill(0)
    this.#names.fill(0)
    this.#called = ['']
  }

  /** @param before number of what was at its place, which is free */
  #meet(element: number, generation: number, before: number): number {
    const name = this.renamed(this.#telemetry.element({ element, generation }) ?? '')
    // No arena has such a place.
    if (!(element < this.#capacity)) return 0
    const number = before > 0 ? before : this.#unused()
    this.#makeRoom(element)
    this.#call(number, name)
    this.#places.set([number, generation, this.#times[number] as number], PLACE_NUMBERS * element)
    return number
  }

  #learn(id: number): number {
    const name = this.#telemetry.names([id]).get(id)
    if (name === undefined) return 0
    const number = this.#unused()
    this.#call(number, name)
    if (id >= this.#names.length) {
      const more = new Uint16Array(Math.min(this.#capacity + 1, Math.max(PLACES_LEAST, 2 * id)))
      more.set(this.#names)
      this.#names = more
    }
    this.#names[id] = number
    return number
  }

  #unused(): number {
    if (this.#called.length >= NAMES_MAX) this.renew()
    return this.#called.length
  }

  #call(number: number, name: string): void {
    this.#called[number] = name
    this.#times[number] = name === '' ? 0 : ++this.#met
  }

  #makeRoom(element: number): void {
    const length = PLACE_NUMBERS * element
    if (length < this.#places.length) return
    const places = new Float64Array(Math.min(PLACE_NUMBERS * this.#capacity, Math.max(PLACE_NUMBERS * PLACES_LEAST, 2 * length)))
    places.set(this.#places)
    this.#places = places
  }
}

/** A number for an element. One of a place at a time is remembered: generations follow each other. */
export function placeOf({ element, generation }: Pick<RecordFields, 'element' | 'generation'>): number {
  return element * GENERATIONS + (generation % GENERATIONS)
}
