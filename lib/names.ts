import { At, Code, Kind } from './native/binding.js'
import type { Session } from './session.js'

/** Most names that an environment remembers the ids of; beyond, it asks the arena. */
const REMEMBERED_MAX = 10_000

/**
 * The id of a tenant's or a workflow's name in this arena, the same for all who open it; 0 for none, and where the arena has no place left
 * for another name: a request does not fail for that.
 *
 * @throws NameError, CorruptError, RetiredError, ClosedError
 */
export function idOf(session: Session, name: string): number {
  if (name === '') return 0
  const { names, binding } = session
  const known = names.get(name)
  if (known !== undefined) return known
  const code = binding.lookup(name, Kind.Name)
  if (code === Code.NoElements || code === Code.NoNames || code === Code.OutOfMemory) return 0
  session.check(code, name)
  const id = session.scratch[At.OutIndex] + 1
  if (names.size < REMEMBERED_MAX) names.set(name, id)
  return id
}
