import { runInNewContext } from 'node:vm'

/**
 * Runs a function that may take for ever, and ends it when it does: an expression inside of a library's loop cannot be asked to stop otherwise.
 *
 * @param ms after which it is ended
 * @returns what it returned; undefined: it was ended
 */
export function within<T>(ms: number, call: () => T): { readonly value: T } | undefined {
  try {
    return { value: runInNewContext('call()', { call }, { timeout: ms }) as T }
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}
