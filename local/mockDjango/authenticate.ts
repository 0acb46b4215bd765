import { type Answer, type Behaviour, json } from './types.ts';

export type Caller = 'known' | 'anonymous' | Answer;

/**
 * As Django REST framework's TokenAuthentication and BasicAuthentication: another scheme, or none, is not an error but an
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
  const credentials = scheme === 'Basic' ? Buffer.from(key).toString('base64') : key;
  return parts[0] === credentials ? 'known' : refused('Invalid token.', scheme);
}

function refused(detail: string, scheme: string): Answer {
  return json(401, { detail }, { 'WWW-Authenticate': scheme });
}
