import type { Session } from '../session.js'
import { makeTelemetry, type Telemetry } from '../telemetry.js'
import type { RecordFields } from './record.js'

/** Names that are remembered; beyond that the arena is asked again. */
const NAMES_MAX = 65_536
const GENERATIONS = 2 ** 20
/** Places that there is room for from the beginning. */
const PLACES_LEAST = 1_024

/** The names of what records have as numbers, each asked for once. */
export class RecordNames {
  readonly #telemetry: Telemetry
  readonly #capacity: number
  /** by place in the arena: the number of what is there; 0 none */
  #numbers = new Uint32Array(0)
  /** by number: of the place, how often it was given away, and the name */
  readonly #generations = new Uint32Array(NAMES_MAX)
  #elements: string[] = ['']
  readonly #names = new Map<number, string>()

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
    return this.named(this.number(record))
  }

  /** A small number that stands for the element as long as it is remembered; 0: there is no such place. Until the next one is asked for {@link named} knows its name. */
  number(record: Pick<RecordFields, 'element' | 'generation'>): number {
    const { element, generation } = record
    const number = element < this.#numbers.length ? (this.#numbers[element] as number) : 0
    return number > 0 && this.#generations[number] === generation ? number : this.#meet(element, generation, number)
  }

  named(number: number): string {
    return this.#elements[number] as string
  }

  /** Of a workflow, a tenant, a client, a kind of notes; undefined: none, or not known. */
  name(id: number): string | undefined {
    if (id === 0) return undefined
    const known = this.#names.get(id)
    if (known !== undefined) return known
    const name = this.#telemetry.names([id]).get(id)
    return name === undefined ? undefined : remember(this.#names, id, name)
  }

  /** Elements are called otherwise from now on. */
  renew(): void {
    this.#numbers.fill(0)
    this.#elements = ['']
  }

  /** @param before number of what was at its place, which is free */
  #meet(element: number, generation: number, before: number): number {
    const name = this.renamed(this.#telemetry.element({ element, generation }) ?? '')
    // No arena has such a place.
    if (!(element < this.#capacity)) return 0
    if (before === 0 && this.#elements.length >= NAMES_MAX) this.renew()
    this.#makeRoom(element)
    const number = before > 0 ? before : this.#elements.length
    this.#elements[number] = name
    this.#generations[number] = generation
    this.#numbers[element] = number
    return number
  }

  #makeRoom(element: number): void {
    if (element < this.#numbers.length) return
    const numbers = new Uint32Array(Math.min(this.#capacity, Math.max(PLACES_LEAST, 2 * element)))
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }
}

/** A number for an element. One of a place at a time is remembered: generations follow each other. */
export function placeOf({ element, generation }: Pick<RecordFields, 'element' | 'generation'>): number {
  return element * GENERATIONS + (generation % GENERATIONS)
}

function remember(names: Map<number, string>, key: number, name: string): string {
  if (names.size >= NAMES_MAX) names.clear()
  names.set(key, name)
  return name
}
