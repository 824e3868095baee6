using System;

namespace Callsheet.Wire
{
    /// <summary>
    /// The fields of one JSON object, checked against what the protocol allows.
    ///
    /// Nothing is thrown: the decoder keeps the first thing that is wrong, and after that every field
    /// reads as its default.
    /// </summary>
    internal readonly struct FieldReader
    {
        private const int Missing = -1;
        private readonly MessageDecoder _decoder;
        private readonly int _object;

        internal FieldReader(MessageDecoder decoder, int obj)
        {
            _decoder = decoder;
            _object = obj;
        }

        private JsonDocument Document => _decoder.Document;

        /// <summary>True if the field is there and not null.</summary>
        internal bool Has(string name)
        {
            int token = Find(name);
            return token != Missing && Document.Kind(token) != JsonKind.Null;
        }

        /// <summary>True if the field is there.</summary>
        internal bool Contains(string name) => Find(name) != Missing;

        internal string Text(string name, int min, int max, TextForm form)
        {
            int token = Need(name);
            return token == Missing ? null : TextAt(token, min, max, form);
        }

        internal long Integer(string name, long min, long max)
        {
            int token = Need(name);
            if (token == Missing)
            {
                return 0;
            }
            if (!Document.TryWhole(token, out long value))
            {
                Refuse(token, "must be an integer");
                return 0;
            }
            if (value < min || value > max)
            {
                Refuse(token, "must be " + min + " to " + max, value < min ? min : max);
            }
            return value;
        }

        internal uint Handle(string name) => (uint)Integer(name, 0, uint.MaxValue);

        internal double Real(string name, double min, double max)
        {
            int token = Need(name);
            return token == Missing ? 0 : RealAt(token, min, max);
        }

        internal bool Flag(string name)
        {
            int token = Need(name);
            if (token == Missing)
            {
                return false;
            }
            JsonKind kind = Document.Kind(token);
            if (kind != JsonKind.True && kind != JsonKind.False)
            {
                Refuse(token, "must be true or false");
            }
            return kind == JsonKind.True;
        }

        internal Vec3 Vector(string name, double min, double max)
        {
            int token = Need(name);
            if (token == Missing)
            {
                return default(Vec3);
            }
            if (!IsArray(token, 0, 3))
            {
                return default(Vec3);
            }
            if (Count(token) < 3)
            {
                _decoder.Refuse(Document.PathTo(token) + "." + Count(token), "is required: a vector has three numbers", null, null);
                return default(Vec3);
            }
            int y = Document.Next(token + 1);
            return new Vec3(RealAt(token + 1, min, max), RealAt(y, min, max), RealAt(Document.Next(y), min, max));
        }

        internal JsonValue Object(string name)
        {
            int token = Need(name);
            if (token == Missing)
            {
                return null;
            }
            bool fits = Document.Kind(token) == JsonKind.Object && Document.IsPortable(token, ProtocolInfo.MaxJsonDepth);
            JsonValue value = fits ? JsonValue.From(Document, token) : null;
            if (!fits)
            {
                Refuse(token, "must be an object of at most " + ProtocolInfo.MaxJsonDepth + " levels, with finite numbers and integers within 2^53-1");
            }
            return value;
        }

        internal int Enum(string name, string[] names)
        {
            int token = Need(name);
            return token == Missing ? 0 : EnumAt(token, names);
        }

        internal FieldReader Part(string name)
        {
            int token = Need(name);
            return new FieldReader(_decoder, token == Missing ? Missing : ObjectAt(token));
        }

        internal T[] Parts<T>(string name, int min, int max, Func<FieldReader, T> parse)
        {
            int token = Need(name);
            int count = token == Missing ? 0 : ArrayAt(token, min, max);
            if (count == 0)
            {
                return Array.Empty<T>();
            }
            var items = new T[count];
            for (int i = 0, t = token + 1; i < count; i++, t = Document.Next(t))
            {
                items[i] = parse(new FieldReader(_decoder, ObjectAt(t)));
            }
            return items;
        }

        internal string[] Texts(string name, int min, int max, int minChars, int maxChars, TextForm form)
        {
            int token = Need(name);
            int count = token == Missing ? 0 : ArrayAt(token, min, max);
            if (count == 0)
            {
                return Array.Empty<string>();
            }
            var items = new string[count];
            for (int i = 0, t = token + 1; i < count; i++, t = Document.Next(t))
            {
                items[i] = TextAt(t, minChars, maxChars, form);
            }
            return items;
        }

        internal int[] Enums(string name, int min, int max, string[] names)
        {
            int token = Need(name);
            int count = token == Missing ? 0 : ArrayAt(token, min, max);
            var items = new int[count];
            for (int i = 0, t = token + 1; i < count; i++, t = Document.Next(t))
            {
                items[i] = EnumAt(t, names);
            }
            return items;
        }

        private int Find(string name) => _object == Missing ? Missing : Document.Find(_object, name);

        private int Need(string name)
        {
            int token = Find(name);
            if (token == Missing && _object != Missing)
            {
                string path = Document.PathTo(_object);
                _decoder.Refuse((path.Length > 0 ? path + "." : "") + name, "is required", null, null);
            }
            return token;
        }

        private string TextAt(int token, int min, int max, TextForm form)
        {
            if (Document.Kind(token) != JsonKind.String)
            {
                Refuse(token, "must be a string");
                return null;
            }
            string text = Document.Text(token);
            string broken = TextRules.Broken(text, min, max, form);
            if (broken != null)
            {
                Refuse(token, broken);
            }
            return text;
        }

        private double RealAt(int token, double min, double max)
        {
            if (!Document.TryReal(token, out double value))
            {
                Refuse(token, "must be a finite number");
                return 0;
            }
            if (value < min || value > max)
            {
                Refuse(token, "is out of range", value < min ? min : max);
            }
            return value;
        }

        private int EnumAt(int token, string[] names)
        {
            if (Document.Kind(token) == JsonKind.String)
            {
                for (int i = 0; i < names.Length; i++)
                {
                    if (Document.Equal(token, names[i]))
                    {
                        return i;
                    }
                }
            }
            Refuse(token, "must be one of " + string.Join(", ", names));
            return 0;
        }

        private int ObjectAt(int token)
        {
            if (Document.Kind(token) == JsonKind.Object)
            {
                return token;
            }
            Refuse(token, "must be an object");
            return Missing;
        }

        private int ArrayAt(int token, int min, int max)
        {
            if (!IsArray(token, min, max))
            {
                return 0;
            }
            return Count(token);
        }

        private bool IsArray(int token, int min, int max)
        {
            if (Document.Kind(token) != JsonKind.Array)
            {
                Refuse(token, "must be an array");
                return false;
            }
            int count = Count(token);
            if (count < min || count > max)
            {
                Refuse(token, "has " + count + " items, allowed are " + min + " to " + max, count < min ? min : max);
                return false;
            }
            return true;
        }

        private int Count(int array)
        {
            int count = 0;
            for (int t = array + 1; t < Document.Next(array); t = Document.Next(t))
            {
                count++;
            }
            return count;
        }

        private void Refuse(int token, string what, double? limit = null)
        {
            JsonKind kind = Document.Kind(token);
            string value = kind == JsonKind.String ? Document.Text(token)
                : kind == JsonKind.Number ? System.Text.Encoding.ASCII.GetString(Document.Raw(token).Array, Document.Raw(token).Offset, Document.Raw(token).Count)
                : kind.ToString().ToLowerInvariant();
            _decoder.Refuse(Document.PathTo(token), what, value, limit);
        }
    }
}
