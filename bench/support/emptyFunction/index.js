const { http } = require('@google-cloud/functions-framework');

http('empty', (_request, response) => response.json({ status: 'empty' }));
