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
    public class FuzzTests
    {
        private const int Rounds = 40000;

        /// <summary>Mutated server texts, by a fixed seed: a session takes them all without throwing.</summary>
        [Test]
        public void Mutated_vectors_never_throw_out_of_a_session()
        {
            byte[][] corpus = Corpus();
            var random = new Random(20261123);
            var rig = new Rig().Opened();
            for (int i = 0; i < Rounds; i++)
            {
                byte[] text = Mutate(corpus[random.Next(corpus.Length)], corpus[random.Next(corpus.Length)], random);
                rig.Server.SendFrame(random.Next(50) == 0 ? FrameKind.Binary : FrameKind.Text, text);
                if (i % 16 == 0)
                {
                    rig.Step(0.001);
                }
                if (rig.State != SessionState.Open)
                {
                    rig.RunToConnection();
                    rig.Greet(random.Next(2) == 0);
                }
                rig.Errors.Clear();
                rig.Received.Clear();
            }
            Assert.That(rig.Thrown, Is.Empty);
        }

        private static byte[][] Corpus()
        {
            string folder = Environment.GetEnvironmentVariable("CALLSHEET_VECTORS");
            var corpus = new List<byte[]>();
            foreach (string path in Directory.GetFiles(folder, "*.json").OrderBy(p => p, StringComparer.Ordinal))
            {
                JsonValue root = Rig.Parse(File.ReadAllText(path));
                if (root["direction"].Text == "server")
                {
                    corpus.AddRange(root["valid"].Items.Select(v => Encoding.UTF8.GetBytes(v["json"].Text)));
                }
            }
            return corpus.ToArray();
        }

        private static byte[] Mutate(byte[] text, byte[] other, Random random)
        {
            const string Tokens = "{}[]\",:\\0123456789eE+-.truefalsn\u0000\u001f ";
            var mutant = new List<byte>(text);
            for (int n = random.Next(1, 5); n > 0 && mutant.Count > 0; n--)
            {
                int at = random.Next(mutant.Count);
                switch (random.Next(7))
                {
                    case 0: mutant[at] = (byte)random.Next(256); break;
                    case 1: mutant.RemoveAt(at); break;
                    case 2: mutant.Insert(at, (byte)Tokens[random.Next(Tokens.Length)]); break;
                    case 3: mutant.RemoveRange(at, mutant.Count - at); break;
                    case 4: mutant.InsertRange(at, other.Skip(random.Next(other.Length)).Take(40)); break;
                    case 5: mutant.InsertRange(at, Enumerable.Repeat((byte)'[', random.Next(300))); break;
                    default: mutant.InsertRange(at, Encoding.ASCII.GetBytes("1e" + random.Next(-400, 400))); break;
                }
            }
            return mutant.ToArray();
        }
    }
}
