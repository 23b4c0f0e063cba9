const pending = new Set<() => void>()

/**
 * Does what must be done before this process ends, in whatever way it can still know of: an error, or an interrupt. The result does it at
 * once instead.
 */
export function beforeExit(clean: () => void): () => void {
  pending.add(clean)
  return () => {
    if (pending.delete(clean)) clean()
  }
}

process.on('exit', () => {
  for (const clean of pending) clean()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
