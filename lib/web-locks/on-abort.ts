import { addAbortListener } from 'node:events'

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose')

/** The abort algorithms that requests have added to one signal, behind one listener: a listener for each would warn from the eleventh on. */
class AbortAlgorithms {
  private readonly algorithms = new Set<() => void>()
  private listener: Disposable | undefined = undefined

  constructor(private readonly signal: AbortSignal) {}

  add(algorithm: () => void): void {
    this.listener ??= listen(this.signal, () => this.run())
    this.algorithms.add(algorithm)
  }

  delete(algorithm: () => void): void {
    this.algorithms.delete(algorithm)
    if (this.algorithms.size > 0) return
    this.listener?.[dispose]()
    this.listener = undefined
  }

  private run(): void {
    for (const algorithm of [...this.algorithms]) algorithm()
  }
}

const signals = new WeakMap<AbortSignal, AbortAlgorithms>()

/**
 * Adds an abort algorithm to a signal; returns what removes it.
 *
 * @throws what the methods of the signal throw, where a script has put its own there
 */
export function onAbort(signal: AbortSignal, algorithm: () => void): () => void {
  let algorithms = signals.get(signal)
  if (algorithms === undefined) {
    algorithms = new AbortAlgorithms(signal)
    signals.set(signal, algorithms)
  }
  const added = algorithms
  added.add(algorithm)
  return () => added.delete(algorithm)
}

/**
 * The specification runs abort algorithms before all listeners, so none may keep them from being run. Only Node's
 * addAbortListener withstands stopImmediatePropagation(); Node 20 has it from 20.5 on.
 */
function listen(signal: AbortSignal, listener: () => void): Disposable {
  if (addAbortListener !== undefined) return addAbortListener(signal, listener)
  signal.addEventListener('abort', listener, { once: true })
  return { [dispose]: () => signal.removeEventListener('abort', listener) }
}
