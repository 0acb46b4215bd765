import type * as z from 'zod/mini';

/** Fields of a schema by name, as far as its strings in a query need to know them. */
export type Shape = Record<string, z.core.$ZodType>;

export function shapeOf(schema: z.core.$ZodType): Shape {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'object' ? def.shape : {};
}

/** The JSON type of a field: optional, default and the like are looked through. */
export const typeOf = (shape: Shape, name: string): string | undefined =>
  definitionOf(shape, name)?.type;

/** Whether a field takes whole numbers only. */
export function isWholeNumber(shape: Shape, name: string): boolean {
  const definition = definitionOf(shape, name);
  return definition?.type === 'number' && 'format' in definition;
}

type Definition = z.core.$ZodTypes['_zod']['def'];

const definitionOf = (shape: Shape, name: string) =>
  Object.hasOwn(shape, name) ? innermost(shape[name]) : undefined;

function innermost(schema: z.core.$ZodType | undefined): Definition | undefined {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (!def) return undefined;
  if ('innerType' in def) return innermost(def.innerType);
  return def.type === 'pipe' ? innermost(def.in) : def;
}
