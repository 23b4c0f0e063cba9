import { LoadError } from '../errors/index.js'

/**
 * A package that comes with forelock only if its user installed it too.
 *
 * @param needs who needs it
 * @throws LoadError that names the command
 */
export async function optional<T>(name: string, load: () => T | Promise<T>, needs = 'this history'): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const remedy = `npm install ${name}`
    throw new LoadError(
      `${needs} needs the package ${name}, which could not be loaded: ${remedy}`,
      {
        attempts: [{ from: name, error }],
        remedies: [remedy]
      },
      error
    )
  }
}
