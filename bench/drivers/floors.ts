import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Connect, nothing, type Operation, RECORD_SIZE, type Setting } from './driver.js'
import { keysOf } from './keys.js'

/** The addon in bench/native. */
export interface Floors {
  call(): void
  cas(): void
  find(): void
  look(): void
  makeLines(path: string, count: number): void
  touchLine(key: string): void
  casShared(): void
  mapWords(path: string): void
  choose(word: number): void
  value(): number
  listen(callback: () => void): void
  stopListening(): void
  ring(): void
  lockedRanges(path: string): [first: number, last: number][]
  watchRelease(path: string, offset: number, callback: (ns: bigint) => void): void
}

export const loadFloors = ({ floors }: Setting) => createRequire(import.meta.url)(floors) as Floors

function mapped(setting: Setting): Floors {
  const floors = loadFloors(setting)
  floors.mapWords(join(setting.folder, 'words'))
  floors.choose(setting.lock)
  return floors
}

/** An empty Node-API call: nothing in an addon can be faster. */
export const call: Connect = async setting => {
  const { call } = loadFloors(setting)
  return {
    tryPairs(n) {
      for (let i = 0; i < n; i++) call()
      return n
    },
    close() {}
  }
}

/** Two compare-and-swaps in one Node-API call; in the trials with several processes, on a word they share. */
export const cas: Connect = async setting => {
  const { cas, value } = loadFloors(setting)
  return {
    tryPairs(n) {
      const before = value()
      for (let i = 0; i < n; i++) cas()
      return ((value() - before) >>> 0) / 2
    },
    close() {}
  }
}

export const casShared: Connect = async setting => {
  const { casShared } = mapped(setting)
  return {
    awaitPairs(n) {
      for (let i = 0; i < n; i++) casShared()
      return n
    },
    close() {}
  }
}

/** The hash of a key, and one line of memory for it, of as much as the buckets of all keys need, in a file that others could map. */
export const coldLine: Connect = async setting => {
  const floors = loadFloors(setting)
  const keyed = (count: number): Operation => {
    let keys: string[] | undefined
    let next = 0
    const make = () => {
      floors.makeLines(join(setting.folder, 'lines'), count)
      const made = keysOf(count)
      for (const key of made) floors.touchLine(key)
      return made
    }
    return n => {
      keys ??= make()
      for (let i = 0; i < n; i++) {
        floors.touchLine(keys[next] as string)
        if (++next === count) next = 0
      }
      return n
    }
  }
  return { keyed1k: keyed(1_000), keyed1m: keyed(1_000_000), close() {} }
}

/** What a record costs that is copied to where an addon finds it, and from there into an array of its own, with the calls that tell the addon; nothing is done in them. */
export const copies: Connect = async setting => {
  const { call } = loadFloors(setting)
  const shared = new Uint8Array(1_024)
  const view = shared.subarray(0, RECORD_SIZE)
  const record = new Uint8Array(RECORD_SIZE)
  const passed = (calls: 2 | 3): Operation => {
    return n => {
      let done = 0
      for (let i = 0; i < n; i++) {
        shared.set(record)
        call()
        call()
        const taken = new Uint8Array(view)
        if (calls === 3) call()
        if (taken.length === RECORD_SIZE) done++
      }
      return done
    }
  }
  return { records: passed(3), recordsInTurn: passed(2), close() {} }
}

/** A bare futex and a thread-safe function. */
export const futex: Connect = async setting => {
  const floors = mapped(setting)
  let holding = false
  let listening = false
  let rung = nothing
  return {
    peer: {
      async hold() {
        holding = true
      },
      wait() {
        // Only who waits listens, or a ring would wake its own sender too.
        if (!listening) floors.listen(() => rung())
        listening = true
        return new Promise(resolve => (rung = resolve))
      },
      release() {
        if (holding) floors.ring()
        holding = false
      }
    },
    // It carries nothing: what a record adds is the queue's own.
    pipe: {
      send: () => floors.ring(),
      receive() {
        if (!listening) floors.listen(() => rung())
        listening = true
        return new Promise(resolve => (rung = resolve))
      }
    },
    close: () => floors.stopListening()
  }
}
