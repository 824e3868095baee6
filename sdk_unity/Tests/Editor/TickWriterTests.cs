using System;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    public class TickWriterTests
    {
        [Test]
        public void The_example_of_the_protocol_byte_for_byte()
        {
            var writer = new TickWriter();
            writer.Begin(TickKind.Keyframe, 7, 12.5, true);
            writer.Npc(1, 1, 2, 3, 0.5f, 0, -0.5f, 30, NpcFlags.None);
            writer.Player(2, 4, 0, 3, 0, 0, 0);
            const string Expected =
                "43530101" + "01000000" + "07000000" + "01000000" + "0000000000002940" + "01000000" + "00000000"
                + "01000000" + "0000803f0000004000004040" + "0000003f00000000000000bf" + "0000f041" + "00000000"
                + "02000000" + "000080400000000000004040" + "000000000000000000000000" + "00000000";
            Assert.That(Hex(writer.Frame), Is.EqualTo(Expected));
        }

        [Test]
        public void A_frame_grows_and_the_buffer_is_used_again()
        {
            var writer = new TickWriter();
            for (int round = 0; round < 3; round++)
            {
                writer.Begin(TickKind.Delta, (uint)round, round, false);
                for (uint i = 0; i < 1000; i++)
                {
                    writer.Npc(i, i, i, i, 0, 0, 0, float.NaN, NpcFlags.None);
                }
                Assert.That(writer.Count, Is.EqualTo(32 + 36000));
                Assert.That(BitConverter.ToUInt32(writer.Frame.Array, 12), Is.EqualTo(1000));
                Assert.That(BitConverter.ToUInt32(writer.Frame.Array, 24), Is.EqualTo(0));
            }
        }

        [TestCase(-1)]
        [TestCase(double.NaN)]
        [TestCase(double.PositiveInfinity)]
        public void A_game_time_that_the_server_would_refuse_throws(double gameTimeS)
        {
            Assert.That(
                () => new TickWriter().Begin(TickKind.Delta, 0, gameTimeS, false),
                Throws.InstanceOf<ArgumentOutOfRangeException>());
        }

        [Test]
        public void Npcs_come_before_players()
        {
            var writer = new TickWriter();
            writer.Begin(TickKind.Delta, 0, 0, false);
            writer.Player(1, 0, 0, 0, 0, 0, 0);
            Assert.That(() => writer.Npc(1, 0, 0, 0, 0, 0, 0, 0, NpcFlags.None), Throws.InvalidOperationException);
        }

        internal static string Hex(ArraySegment<byte> data) =>
            BitConverter.ToString(data.Array, data.Offset, data.Count).Replace("-", "").ToLowerInvariant();
    }
}
