import { type Answer, type Behaviour, json } from './types.ts';

export type Caller = 'known' | 'anonymous' | Answer;

/**
 * As Django REST framework's TokenAuthentication: another scheme, or none, is not an error but an
 * anonymous call, and what that may see is the view's decision. A wrong key is refused.
 */
export function authenticate(header: string | undefined, behaviour: Behaviour): Caller {
  const { scheme, key, anonymous } = behaviour;
  const [given, ...parts] = (header ?? '').split(' ');
  if (given?.toLowerCase() !== scheme.toLowerCase()) {
    if (typeof anonymous === 'string') return 'anonymous';
    const detail = { detail: 'Authentication credentials were not provided.' };
    // With SessionAuthentication listed first the answer is 403 and names no scheme.
    return json(anonymous, detail, anonymous === 401 ? { 'WWW-Authenticate': scheme } : {});
  }
  if (parts.length !== 1) return refused('Invalid token header. No credentials provided.', scheme);
  return parts[0] === key ? 'known' : refused('Invalid token.', scheme);
}

function refused(detail: string, scheme: string): Answer {
  return json(401, { detail }, { 'WWW-Authenticate': scheme });
}
