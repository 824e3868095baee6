using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Walks along the streets of a grid, from crossing to crossing, turning at random.</summary>
    public sealed class Walker : MonoBehaviour
    {
        private int _blocks;
        private float _blockM;
        private float _speed;
        private int _x;
        private int _z;

        internal void Begin(int blocks, float blockM, float speed)
        {
            _blocks = blocks;
            _blockM = blockM;
            _speed = speed;
            _x = Random.Range(0, blocks + 1);
            _z = Random.Range(0, blocks + 1);
            transform.position = Crossing();
        }

        internal void Step(float seconds)
        {
            Vector3 goal = Crossing();
            transform.position = Vector3.MoveTowards(transform.position, goal, _speed * seconds);
            if (Vector3.Distance(transform.position, goal) > 0.01f)
            {
                return;
            }
            int step = Random.Range(0, 2) == 0 ? -1 : 1;
            if (Random.Range(0, 2) == 0)
            {
                _x = Inside(_x + step);
            }
            else
            {
                _z = Inside(_z + step);
            }
        }

        private Vector3 Crossing() => new Vector3(_x * _blockM, 1f, _z * _blockM);

        private int Inside(int crossing) => crossing < 0 ? 1 : crossing > _blocks ? _blocks - 1 : crossing;
    }
}
