using System;
using System.Globalization;
using System.Text;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    public class JsonTests
    {
        [TestCase(0, "0.0")]
        [TestCase(-0.0, "-0.0")]
        [TestCase(1, "1.0")]
        [TestCase(0.1, "0.1")]
        [TestCase(-12.5, "-12.5")]
        [TestCase(0.30000000000000004, "0.30000000000000004")]
        [TestCase(1234567890123.456, "1234567890123.456")]
        [TestCase(999999999.999999, "999999999.999999")]
        [TestCase(1e15, "1000000000000000.0")]
        [TestCase(1e16, "1e+16")]
        [TestCase(123456789012345680.0, "1.2345678901234568e+17")]
        [TestCase(1e-5, "0.00001")]
        [TestCase(1.5e-5, "0.000015")]
        [TestCase(1e-6, "1e-6")]
        [TestCase(1.5e-7, "1.5e-7")]
        [TestCase(5e-324, "5e-324")]
        [TestCase(1.7976931348623157e308, "1.7976931348623157e+308")]
        [TestCase(2.2250738585072014e-308, "2.2250738585072014e-308")]
        public void Doubles_are_written_as_the_canonical_form_says(double value, string expected)
        {
            Assert.That(Format(value), Is.EqualTo(expected));
        }

        [Test]
        public void Doubles_survive_writing_and_reading()
        {
            var random = new Random(5);
            var bytes = new byte[8];
            for (int i = 0; i < 20000; i++)
            {
                random.NextBytes(bytes);
                double value = i % 2 == 0 ? BitConverter.ToDouble(bytes, 0) : Math.Round((random.NextDouble() - 0.5) * 1e6, i % 7);
                if (double.IsNaN(value) || double.IsInfinity(value))
                {
                    continue;
                }
                byte[] text = Encoding.ASCII.GetBytes(Format(value));
                Assert.That(Numbers.TryParse(text, 0, text.Length, out double back));
                Assert.That(back, Is.EqualTo(value), value.ToString("R", CultureInfo.InvariantCulture));
            }
        }

        [Test]
        public void Integers_are_exact_at_their_limits()
        {
            foreach (long value in new[] { 0, 1, -1, 10, 999, long.MaxValue, long.MinValue, ProtocolInfo.MaxInteger })
            {
                JsonValue read = Rig.Parse(JsonValue.Of(value).ToString());
                Assert.That(read == null ? value : read.Integer, Is.EqualTo(value));
            }
            var document = new JsonDocument();
            foreach (string tooGreat in new[] { "9223372036854775808", "-9223372036854775809", "1.0", "1e0", "99999999999999999999" })
            {
                byte[] text = Encoding.ASCII.GetBytes(tooGreat);
                Assert.That(document.Parse(text, 0, text.Length), Is.Null);
                Assert.That(document.TryInteger(0, out _), Is.False, tooGreat);
            }
        }

        [Test]
        public void Strings_survive_escapes_and_every_plane()
        {
            const string Text = "\"\\/\b\f\n\r\t\u0001\u001f\u007f\u00e9\u20ac\ud83d\ude00";
            string json = JsonValue.Of(Text).ToString();
            Assert.That(json, Is.EqualTo("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u007f\u00e9\u20ac\ud83d\ude00\""));
            Assert.That(Rig.Parse(json).Text, Is.EqualTo(Text));
            Assert.That(Rig.Parse("\"\\u00e9\\ud83d\\ude00\\/\"").Text, Is.EqualTo("\u00e9\ud83d\ude00/"));
        }

        [Test]
        public void A_tree_is_read_in_order_and_the_last_of_two_names_counts()
        {
            JsonValue value = Rig.Parse(" { \"a\" : [ 1 , 2.5 , null , true , [ ] , { } ] , \"b\" : 1 , \"b\" : \"two\" } ");
            Assert.That(value.ToString(), Is.EqualTo("{\"a\":[1,2.5,null,true,[],{}],\"b\":\"two\"}"));
            Assert.That(value["b"].Text, Is.EqualTo("two"));
            Assert.That(value["c"], Is.Null);
        }

        [Test]
        public void An_error_names_the_way_to_the_field()
        {
            var decoder = new MessageDecoder();
            byte[] text = Encoding.UTF8.GetBytes("{\"type\":\"spawned\",\"id\":1,\"npcs\":[{\"npc\":\"a\",\"handle\":1},{\"npc\":\"a\",\"handle\":-1}]}");
            Assert.That(decoder.Open(text, 0, text.Length));
            Assert.That(decoder.Message(), Is.Null);
            Assert.That(decoder.Error.Field, Is.EqualTo("npcs.1.handle"));
            Assert.That(decoder.Error.Value, Is.EqualTo("-1"));
            Assert.That(decoder.Error.Limit, Is.EqualTo(0));
        }

        private static string Format(double value)
        {
            var into = new byte[40];
            return Encoding.ASCII.GetString(into, 0, Numbers.Format(value, into, 3) + 3).Substring(3);
        }
    }
}
