using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Replays tests/vectors, as its README says an SDK does; the environment names the folder.</summary>
    public class VectorTests
    {
        private static readonly string Folder = Environment.GetEnvironmentVariable("CALLSHEET_VECTORS");

        private readonly MessageDecoder _decoder = new MessageDecoder();
        private readonly JsonWriter _writer = new JsonWriter();
        private readonly List<string> _broken = new List<string>();
        private int _replayed;

        [SetUp]
        public void SetUp()
        {
            _broken.Clear();
            _replayed = 0;
        }

        [TearDown]
        public void TearDown()
        {
            Assert.That(_broken, Is.Empty);
            Assert.That(_replayed, Is.GreaterThan(0));
            Console.WriteLine("vectors replayed: " + _replayed);
        }

        [Test]
        public void Server_messages_are_read_and_written_back_byte_for_byte()
        {
            Each("server", "valid", (file, vector) =>
            {
                string text = Text(vector);
                ServerMessage message = Decode(Bytes(vector));
                Expect(file, vector, message != null, "refused: " + _decoder.Error);
                if (message != null)
                {
                    Expect(file, vector, Written(message) == text, "written as " + Written(message));
                }
            });
        }

        [Test]
        public void Client_messages_are_written_byte_for_byte()
        {
            Each("client", "valid", (file, vector) =>
            {
                ClientMessage message = Mirrored(Bytes(vector));
                Expect(file, vector, message != null, "refused: " + _decoder.Error);
                if (message != null)
                {
                    _writer.Begin(message.Type);
                    message.WriteFields(_writer);
                    _writer.End();
                    string written = Encoding.UTF8.GetString(_writer.Buffer, 0, _writer.Count);
                    Expect(file, vector, written == Text(vector), "written as " + written);
                }
            });
        }

        [Test]
        public void Lenient_server_texts_mean_what_the_object_says()
        {
            Each("server", "lenient", (file, vector) =>
            {
                ServerMessage message = Decode(Bytes(vector));
                Expect(file, vector, message != null, "refused: " + _decoder.Error);
                if (message != null)
                {
                    Expect(file, vector, Same(Rig.Parse(Written(message)), vector["object"]), "read as " + Written(message));
                }
            });
        }

        [Test]
        public void Invalid_server_texts_are_refused_with_code_and_field()
        {
            Each("server", "invalid", Refused);
            Each("both", "invalid", Refused);
        }

        [Test]
        public void Invalid_texts_never_throw_out_of_a_session()
        {
            Action<string, JsonValue> send = (file, vector) =>
            {
                var rig = new Rig().Opened();
                rig.Server.SendFrame(FrameKind.Text, Bytes(vector));
                rig.Step();
                bool newer = vector["code"].Text == "unknown_type";
                Expect(file, vector, rig.Errors.Any() != newer, newer ? "raised an error" : "raised no error");
                bool hole = rig.Errors.Any(e => e.Field == "seq");
                Expect(file, vector, rig.State == SessionState.Open || hole, "ended the session");
                Expect(file, vector, rig.Thrown.Count == 0, "threw");
            };
            Each("server", "invalid", send);
            Each("both", "invalid", send);
        }

        [Test]
        public void Binary_ticks_are_written_byte_for_byte()
        {
            var tick = new TickWriter();
            foreach (JsonValue vector in Load("tick_binary")["valid"].Items)
            {
                JsonValue t = vector["tick"];
                if (t["players"].Items.Any(p => p["flags"].Integer != 0))
                {
                    // No flag of a player is defined, so this writer has none.
                    continue;
                }
                _replayed++;
                tick.Begin(t["kind"].Text == "keyframe" ? TickKind.Keyframe : TickKind.Delta, (uint)t["tick"].Integer, t["game_time_s"].Number, t["ack"].Boolean, t["rewind"] != null);
                foreach (JsonValue n in t["npcs"].Items)
                {
                    float[] p = Floats(n["position"]), v = Floats(n["velocity"]);
                    tick.Npc((uint)n["handle"].Integer, p[0], p[1], p[2], v[0], v[1], v[2], Float(n["next_call_s"]), (NpcFlags)n["flags"].Integer);
                }
                foreach (JsonValue n in t["players"].Items)
                {
                    float[] p = Floats(n["position"]), v = Floats(n["velocity"]);
                    tick.Player((uint)n["handle"].Integer, p[0], p[1], p[2], v[0], v[1], v[2]);
                }
                Expect("tick_binary", vector, TickWriterTests.Hex(tick.Frame) == vector["hex"].Text, TickWriterTests.Hex(tick.Frame));
            }
        }

        [Test]
        public void Every_message_has_vectors()
        {
            foreach (string file in Directory.GetFiles(Folder, "*.json"))
            {
                JsonValue root = Load(Path.GetFileNameWithoutExtension(file));
                string type = root["message"] == null ? null : root["message"].Text;
                if (type != null && type != "tick_binary" && root["direction"].Text == "server")
                {
                    _replayed++;
                    Expect(type, root, ServerMessages.Create(type) != null, "is not known here");
                }
            }
        }

        private void Refused(string file, JsonValue vector)
        {
            ServerMessage message = Decode(Bytes(vector));
            CallsheetError error = _decoder.Error;
            string code = vector["code"].Text, field = vector["field"].Text;
            bool stricter = vector["not_json"] != null && error != null && error.Code == ErrorCode.BadJson;
            bool same = message == null && error.Code == CallsheetError.CodeOf(code) && error.Field == field;
            Expect(file, vector, same || stricter, "expected " + code + " at " + field + ", got " + error + " at " + (error == null ? "" : error.Field));
        }

        private ServerMessage Decode(byte[] bytes) => _decoder.Open(bytes, 0, bytes.Length) ? _decoder.Message() : null;

        private ClientMessage Mirrored(byte[] bytes)
        {
            if (!_decoder.Open(bytes, 0, bytes.Length))
            {
                return null;
            }
            ClientMessage message = Mirror.Read(_decoder.Type, _decoder.Fields);
            return _decoder.Error == null ? message : null;
        }

        private string Written(ServerMessage message)
        {
            _writer.Begin(message.Type);
            Mirror.Write(_writer, message);
            _writer.End();
            return Encoding.UTF8.GetString(_writer.Buffer, 0, _writer.Count);
        }

        private void Each(string direction, string group, Action<string, JsonValue> check)
        {
            foreach (string path in Directory.GetFiles(Folder, "*.json").OrderBy(p => p, StringComparer.Ordinal))
            {
                string name = Path.GetFileNameWithoutExtension(path);
                JsonValue root = Load(name);
                if (name == "tick_binary" || root["direction"].Text != direction || root[group] == null)
                {
                    continue;
                }
                foreach (JsonValue vector in root[group].Items)
                {
                    _replayed++;
                    check(name, vector);
                }
            }
        }

        private void Expect(string file, JsonValue vector, bool fine, string what)
        {
            if (!fine)
            {
                string name = vector["name"] == null ? "" : vector["name"].Text;
                _broken.Add(file + " / " + name + ": " + (what.Length > 300 ? what.Substring(0, 300) : what));
            }
        }

        private static JsonValue Load(string name) => Rig.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")));

        private static string Text(JsonValue vector)
        {
            string text = vector["json"].Text;
            JsonValue fill = vector["fill"];
            if (fill == null)
            {
                return text;
            }
            var filling = new StringBuilder();
            for (long i = 0; i < fill["times"].Integer; i++)
            {
                filling.Append(fill["text"].Text);
            }
            return text.Replace(fill["mark"].Text, filling.ToString());
        }

        private static byte[] Bytes(JsonValue vector)
        {
            if (vector["hex"] == null)
            {
                return Encoding.UTF8.GetBytes(Text(vector));
            }
            string hex = vector["hex"].Text;
            var bytes = new byte[hex.Length / 2];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = Convert.ToByte(hex.Substring(2 * i, 2), 16);
            }
            return bytes;
        }

        private static float[] Floats(JsonValue values) => values.Items.Select(Float).ToArray();

        private static float Float(JsonValue value)
        {
            switch (value.Text)
            {
                case null: return (float)value.Number;
                case "NaN": return float.NaN;
                case "Infinity": return float.PositiveInfinity;
                default: return float.NegativeInfinity;
            }
        }

        /// <summary>The same value; fields in any order, numbers compared as numbers.</summary>
        private static bool Same(JsonValue a, JsonValue b)
        {
            if (a == null || b == null || a.Type != b.Type)
            {
                return a == b;
            }
            return a.Number == b.Number && a.Boolean == b.Boolean && a.Text == b.Text
                && a.Items.Count == b.Items.Count && a.Items.Zip(b.Items, Same).All(same => same)
                && a.Fields.Count == b.Fields.Count && a.Fields.All(f => Same(f.Value, b[f.Key]));
        }
    }
}
